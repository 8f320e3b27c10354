/**
 * What a student may want, by the ids that understanding prints and agents
 * hand back with, and what each of them leads to.
 *
 * An answer is said where the talk is. A path is begun, perhaps with something
 * already known: who has slapped in the wrong code three times has the card.
 */
import type { Fact, Known } from './vocabulary.ts';

export const answers = [
  'what-is-card',
  'why-required',
  'photo-bring',
  'sos-office',
  'pickup-booking',
  'pickup-bring',
  'valid-id',
  'reserve-difference',
  'revoke-undo',
  'choose-certificate',
  'contact',
] as const;

export const talk = ['greeting', 'thanks', 'help', 'talk-to-human', 'are-you-a-bot', 'cancel', 'out-of-scope'] as const;

export type PathName =
  | 'card-status'
  | 'forgetting'
  | 'lost-card'
  | 'malfunction'
  | 'new-card'
  | 'order'
  | 'photo-and-pickup'
  | 'pin-trouble'
  | 'protected-identity'
  | 'reminders'
  | 'renewal'
  | 'studies-ended'
  | 'supplementary-certificate'
  | 'upgrade';

/** `at` is a state of the path, where it is begun if not at its beginning. */
export type Beginning = { path: PathName; at?: string; told?: Known };

export const beginnings = {
  'card-status': { path: 'card-status' },
  'codes-exposed': { path: 'lost-card', told: { reason: 'codesExposed' } },
  'details-wrong': { path: 'lost-card', told: { reason: 'detailsWrong' } },
  expired: { path: 'renewal', told: { hasExpired: true } },
  jobsh: { path: 'order' },
  'lost-card': { path: 'lost-card', told: { reason: 'lost' } },
  malfunction: { path: 'malfunction' },
  'need-new-card': { path: 'new-card' },
  'old-card-dead': { path: 'upgrade' },
  'order-first-card': { path: 'order' },
  'order-lapsed': { path: 'order', told: { jobshApproved: true } },
  'order-missing': { path: 'order' },
  'other-region-card': { path: 'supplementary-certificate', told: { hasCard: true, issuer: 'other' } },
  'photo-where-when': { path: 'photo-and-pickup', at: 'notPhotographed' },
  'pickup-ready': { path: 'photo-and-pickup' },
  'pickup-where': { path: 'photo-and-pickup', told: { photographed: true } },
  'pin-forgotten': { path: 'pin-trouble' },
  'pin-letter-missing': { path: 'pin-trouble', at: 'codesAreOnTheirWay' },
  'pin-locked': { path: 'pin-trouble', told: { collectedCard: true } },
  'protected-identity': { path: 'protected-identity' },
  'puk-missing': { path: 'pin-trouble', told: { collectedCard: true, hasPuk: false } },
  renew: { path: 'renewal' },
  'reserve-get': { path: 'new-card', at: 'needsReserveCard' },
  'revoke-how': { path: 'lost-card' },
  'studies-ended': { path: 'studies-ended' },
  'supplementary-get': { path: 'supplementary-certificate' },
  'upgrade-how': { path: 'upgrade' },
  'upgrade-missed': { path: 'upgrade', told: { wasUpgraded: false } },
  'upgrade-possible': { path: 'upgrade' },
} as const satisfies Record<string, Beginning>;

export type Answer = (typeof answers)[number];
export type Talk = (typeof talk)[number];
export type Intent = Answer | Talk | keyof typeof beginnings;

export const intents: readonly Intent[] = [
  ...answers,
  ...talk,
  ...(Object.keys(beginnings) as (keyof typeof beginnings)[]),
];

/** What is true of this one errand. It is asked anew the next time a path of the kind is begun. */
export const passing: Partial<Record<PathName, readonly Fact[]>> = {
  'lost-card': ['reason', 'whereabouts'],
  malfunction: ['wrongPin', 'severalCertificates'],
  'new-card': ['temporarily', 'cardWorks'],
  'photo-and-pickup': ['cardReady', 'codesArrived'],
};
