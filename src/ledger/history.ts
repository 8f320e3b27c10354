/**
 * What the events of a holder add up to, on the day one asks.
 *
 * A step that is not among the transitions is not taken: one is told why, in a
 * sentence that names no card. That an order has lapsed and a card expired is
 * also so when nobody has reported it, and then nothing else can follow either.
 */
import { z } from 'zod';
import { areOldCertificatesDead, type Day, lapsesOn } from '../../dialogs/card-validity.ts';
import { instantOf } from '../calendar.ts';
import {
  type Card,
  CardId,
  type CardState,
  type Certificate,
  Happening,
  HolderId,
  Reason,
  type Receipt,
  ReceiptNumber,
  REGION_STOCKHOLM,
  transitions,
} from './cards.ts';

/** What is decided on an order to revoke a card. Everything but the first is a no-op. */
const Ruling = z.enum(['revoked', 'alreadyRevoked', 'expired', 'otherRegion', 'notInUse']);
export type Ruling = z.infer<typeof Ruling>;

const OfErrand = z.object({
  holder: HolderId,
  card: CardId,
  reason: Reason,
  channel: z.string().min(1).max(200),
  key: z.string().min(1).max(500),
});
/** All of its certificates are revoked with the card. */
const CardRevoked = OfErrand.extend({
  type: z.literal('card.revoked'),
  receipt: ReceiptNumber,
  certificates: z.array(z.string()),
});
const RevocationDeclined = OfErrand.extend({
  type: z.literal('revocation.declined'),
  outcome: Ruling.exclude(['revoked']),
});

/** What happened outside, and what the ledger itself has decided. */
export const LedgerEvent = z.discriminatedUnion('type', [...Happening.options, CardRevoked, RevocationDeclined]);
export type LedgerEvent = z.infer<typeof LedgerEvent>;
export type Decided = z.infer<typeof CardRevoked> | z.infer<typeof RevocationDeclined>;

/** A card as its events left it, whatever the day. */
export type CardHistory = Pick<Card, 'id' | 'ending' | 'kind' | 'issuerOrg' | 'orderedOn' | 'state'> & {
  issuedOn: string | undefined;
  expiresOn: string | undefined;
  photoSite: Card['photoSite'] | undefined;
  certificates: readonly Certificate[];
  revocation: { number: string; reason: Reason; at: string; certificates: readonly string[] } | undefined;
};
export type History = { isProtected: boolean; cards: readonly CardHistory[] };
type Problem = { problem: string };

export const noHistory: History = { isProtected: false, cards: [] };

/** The Swedish day of an instant in UTC. */
export function dayOf(at: string): Day {
  // Sweden is whole hours from UTC, so an hour is on one day; asking the calendar for every event would take long.
  const hour = at.slice(0, 13);
  const known = dayOfHour.get(hour);
  if (known) return known;
  const day = instantOf(new Date(at)).slice(0, 10) as Day;
  dayOfHour.set(hour, day);
  return day;
}
const dayOfHour = new Map<string, Day>();

/** What the holder's history is after an event, or why the event is impossible. */
export function next(history: History, event: LedgerEvent, at: string): History | Problem {
  switch (event.type) {
    case 'holder.registered':
      return history;
    case 'holder.protected':
    case 'holder.unprotected':
      return { ...history, isProtected: event.type === 'holder.protected' };
    case 'card.ordered':
    case 'card.acknowledged':
      return withNewCard(history, newCard(event), dayOf(at));
    default: {
      const card = history.cards.find(({ id }) => id === event.card);
      if (!card) return { problem: 'this holder has no such card' };
      const after = nextOfCard(history, card, event, at);
      if ('problem' in after || after === card) return 'problem' in after ? after : history;
      return { ...history, cards: history.cards.map((each) => (each === card ? after : each)) };
    }
  }
}

export const isNewCard = (event: LedgerEvent): event is NewCard =>
  event.type === 'card.ordered' || event.type === 'card.acknowledged';
export const CARD_IS_KNOWN = 'there is such a card already';

type NewCard = Extract<LedgerEvent, { type: 'card.ordered' | 'card.acknowledged' }>;
type OfKnownCard = Exclude<LedgerEvent, NewCard | { type: `holder.${string}` }>;

function newCard(event: NewCard): CardHistory {
  const card = { id: event.card, ending: event.number.slice(-4), photoSite: undefined, revocation: undefined };
  if (event.type === 'card.ordered') {
    const { kind, orderedOn } = event;
    const notIssued = { issuedOn: undefined, expiresOn: undefined, certificates: [] };
    return { ...card, ...notIssued, kind, orderedOn, issuerOrg: REGION_STOCKHOLM, state: 'ORDERED' };
  }
  const { issuerOrg, issuedOn, expiresOn, certificates } = event;
  return {
    ...card,
    ...{ issuerOrg, issuedOn, expiresOn, certificates },
    kind: 'ORDINARY',
    orderedOn: issuedOn,
    state: 'ACTIVE',
  };
}

function withNewCard(history: History, card: CardHistory, day: Day): History | Problem {
  if (history.cards.some(({ id }) => id === card.id)) return { problem: CARD_IS_KNOWN };
  if (card.state === 'ACTIVE') {
    if (card.issuerOrg === REGION_STOCKHOLM) return { problem: 'a card of Region Stockholm is ordered here' };
    if (hasRival(history, card, day)) return { problem: RIVAL };
  }
  return { ...history, cards: [...history.cards, card] };
}

const targets = {
  'card.photographed': 'PHOTOGRAPHED',
  'card.produced': 'IN_PRODUCTION',
  'card.dispatched': 'AWAITING_HANDOVER',
  'card.handedOver': 'ACTIVE',
  'card.revoked': 'REVOKED',
  'card.lapsed': 'LAPSED',
  'card.cancelled': 'CANCELLED',
  'card.voided': 'VOIDED',
  'card.expired': 'EXPIRED',
  'card.destroyed': 'DESTROYED',
} as const satisfies Partial<Record<OfKnownCard['type'], CardState>>;

const RIVAL = 'the holder has an active ordinary card of that issuer already';

function nextOfCard(history: History, card: CardHistory, event: OfKnownCard, at: string): CardHistory | Problem {
  const day = dayOf(at);
  switch (event.type) {
    case 'card.destructionReported':
      return card;
    case 'certificate.issued': {
      if (stateOn(card, day) !== 'ACTIVE') return { problem: `the card is ${stateOn(card, day)}, and not in use` };
      const isKnown = card.certificates.some(({ serial }) => serial === event.certificate.serial);
      if (isKnown) return { problem: 'the card has that certificate already' };
      return { ...card, certificates: [...card.certificates, event.certificate] };
    }
    case 'revocation.declined':
      return rulingOn(card, day) === event.outcome ? card : { problem: `the card is not ${event.outcome}` };
    case 'card.revoked': {
      const ruling = rulingOn(card, day);
      if (ruling !== 'revoked') return { problem: `the card cannot be revoked, for it is ${ruling}` };
      const { receipt: number, reason, certificates } = event;
      if (certificates.join() !== serialsOf(card).join()) return { problem: 'not all its certificates are revoked' };
      return { ...card, state: 'REVOKED', revocation: { number, reason, at, certificates } };
    }
  }

  const [from, to] = [stateOn(card, day), targets[event.type]];
  // What came of itself may be reported afterwards.
  const isReported = from === to && card.state !== to;
  if (!isReported && !mayFollow(from, to)) return { problem: `a card that is ${from} cannot become ${to}` };
  if (from === 'ORDERED' && to === 'IN_PRODUCTION' && card.kind !== 'RESERVE')
    return { problem: 'an ordinary card cannot be produced before its holder is photographed' };
  if (to === 'ACTIVE' && hasRival(history, card, day)) return { problem: RIVAL };
  switch (event.type) {
    case 'card.photographed':
      return { ...card, state: to, photoSite: event.site };
    case 'card.dispatched': {
      const { issuedOn, expiresOn, certificates } = event;
      return { ...card, state: to, issuedOn, expiresOn, certificates };
    }
    default:
      return { ...card, state: to };
  }
}

const mayFollow = (from: CardState, to: CardState): boolean => (transitions[from] as readonly CardState[]).includes(to);

/** At most one ordinary card of an issuer is active. */
const hasRival = ({ cards }: History, card: CardHistory, day: Day): boolean =>
  card.kind === 'ORDINARY' &&
  cards.some(
    (other) =>
      other.id !== card.id &&
      other.kind === 'ORDINARY' &&
      other.issuerOrg === card.issuerOrg &&
      stateOn(other, day) === 'ACTIVE',
  );

export const serialsOf = ({ certificates }: CardHistory): string[] => certificates.map(({ serial }) => serial);

export function stateOn(card: CardHistory, day: Day): CardState {
  if (card.state === 'ORDERED' && day > lapsesOn(card.orderedOn as Day)) return 'LAPSED';
  if (card.state === 'ACTIVE' && card.expiresOn !== undefined && day > card.expiresOn) return 'EXPIRED';
  return card.state;
}

export function rulingOn(card: CardHistory, day: Day): Ruling {
  if (card.issuerOrg !== REGION_STOCKHOLM) return 'otherRegion';
  if (card.revocation) return 'alreadyRevoked';
  const state = stateOn(card, day);
  if (state === 'EXPIRED') return 'expired';
  return mayFollow(state, 'REVOKED') ? 'revoked' : 'notInUse';
}

export const cardsOn = (history: History, day: Day): Card[] => history.cards.map((card) => cardOn(history, card, day));

function cardOn(history: History, card: CardHistory, day: Day): Card {
  const { id, ending, kind, issuerOrg, orderedOn, issuedOn, expiresOn, photoSite } = card;
  const state = stateOn(card, day);
  const receipt = receiptOn(history, card, day);
  const best = Math.max(...card.certificates.map(({ loa }) => loa));
  return {
    ...{ id, ending, kind, issuerOrg, state, orderedOn },
    hasPhoto: kind === 'ORDINARY',
    lapsesOn: lapsesOn(orderedOn as Day),
    ...(issuedOn !== undefined && { issuedOn }),
    ...(expiresOn !== undefined && { expiresOn }),
    ...(photoSite && { photoSite }),
    usable: state === 'ACTIVE' && !(best === 2 && areOldCertificatesDead(day)),
    certificates: card.certificates.map((certificate) => ({
      ...certificate,
      state: card.revocation?.certificates.includes(certificate.serial) ? 'REVOKED' : 'GOOD',
    })),
    ...(receipt && { receipt }),
  };
}

export function receiptOn(history: History, card: CardHistory, day: Day): Receipt | undefined {
  if (!card.revocation) return undefined;
  const { number, reason, at } = card.revocation;
  return { number, card: card.id, ending: card.ending, reason, reasonCode: codeOf(history, card, reason, day), at };
}

function codeOf(history: History, card: CardHistory, reason: Reason, day: Day): Receipt['reasonCode'] {
  switch (reason) {
    case 'LOST':
    case 'CODES_COMPROMISED':
      return 1;
    case 'DETAILS_INCORRECT':
      return 3;
    case 'MALFUNCTION':
      return hasReplacement(history, card, day) ? 4 : 5;
  }
}

/** An order that came to nothing replaces no card. */
const hasReplacement = ({ cards }: History, card: CardHistory, day: Day): boolean =>
  cards
    .slice(cards.indexOf(card) + 1)
    .some(
      (other) =>
        other.kind === card.kind &&
        other.orderedOn >= card.orderedOn &&
        !['LAPSED', 'CANCELLED', 'VOIDED'].includes(stateOn(other, day)),
    );
