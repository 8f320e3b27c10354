/**
 * The dates a card and an order live by, as the guidance gives them.
 *
 * Plain functions of days, which the guided paths route on. Days are written
 * 2026-11-23, so that they sort as they fall. What a student remembers is
 * often no day but a span of them, “i våras”; a question is then answered
 * only if every day of the span gives the same answer.
 */
export type Day = `${number}-${number}-${number}`;
export type Span = { from: Day; to: Day };

export type Card = {
  /** Opaque, and the ledger's own. It is no number of a card. */
  id: string;
  /** The last four characters of its number, which is all that is known of it here. */
  ending: string;
  kind: 'ordinary' | 'reserve';
  issuer: 'stockholm' | 'other';
  orderedOn: Day;
} & (
  | { state: 'ORDERED' | 'PHOTOGRAPHED' | 'IN_PRODUCTION' | 'LAPSED' | 'CANCELLED' }
  | ({ state: 'AWAITING_HANDOVER'; photoSite: PhotoSite | undefined } & Issue)
  | ({ state: 'ACTIVE' | 'EXPIRED' | 'VOIDED' | 'DESTROYED' } & Issue)
  | ({ state: 'REVOKED'; receipt: Receipt } & Issue)
);

/** Where the photo was taken, and so where the card is collected (R34). */
export type PhotoSite = 'lindhagen' | 'sodersjukhuset';

/** The level of assurance of its certificates is 2 before an upgrade, 3 after it or from the beginning (R5, R8). */
type Issue = { issuedOn: Day; expiresOn: Day; assurance: 2 | 3 };
export type IssuedCard = Extract<Card, Issue>;

export const isIssued = (card: Card): card is IssuedCard => 'issuedOn' in card;

/** The ledger's proof of a revocation. `at` is an instant with Stockholm's offset. */
export type Receipt = { number: string; card: string; ending: string; at: string };

const FIRST_DAY_OF_NEW_CERTIFICATES = '2020-02-18'; // R6, R8
const LAST_DAY_OF_OLD_CERTIFICATES = '2022-05-04'; // R9, R10
const MONTHS_AN_ORDER_LASTS = 3; // R20
const DAYS_TO_RENEW_IN = 56; // R17: eight weeks

/** An order lapses after three months (R20), so no card issued after this day was ordered before the change. */
const LAST_DAY_AN_OLD_ORDER_COULD_LEAD_TO_A_CARD = '2020-12-31';

export type UpgradeWindow = 'open' | 'lastDay' | 'closed';

/** 4 May 2022 is its own answer: the guidance says both “innan” and “till och med” of that day (A5). */
export function upgradeWindow(today: Day): UpgradeWindow {
  if (today === LAST_DAY_OF_OLD_CERTIFICATES) return 'lastDay';
  return today < LAST_DAY_OF_OLD_CERTIFICATES ? 'open' : 'closed';
}

/** R6: issued before 18 February 2020, on every day it may have been issued. */
export const isIssuedBeforeChange = (issued: Span): boolean => issued.to < FIRST_DAY_OF_NEW_CERTIFICATES;

/** R8 speaks of cards ordered from that day on; one issued soon after it may have been ordered before (A6). */
export const isIssuedLongAfterChange = (issued: Span): boolean =>
  issued.from > LAST_DAY_AN_OLD_ORDER_COULD_LEAD_TO_A_CARD;

/** R10: a card that was not upgraded in time is dead from 5 May 2022, whatever date is printed on it. */
export const areOldCertificatesDead = (today: Day): boolean => today > LAST_DAY_OF_OLD_CERTIFICATES;

export const isDead = ({ assurance }: IssuedCard, today: Day): boolean =>
  assurance === 2 && areOldCertificatesDead(today);

/** A card is good through the day that is printed on it. */
export const isExpired = ({ state, expiresOn }: IssuedCard, today: Day): boolean =>
  state === 'EXPIRED' || today > expiresOn;

/** A card of Region Stockholm in use, or one that waits at the office with its codes out (R43). No other can be revoked. */
export const isRevocable = (card: Card, today: Day): card is IssuedCard =>
  isIssued(card) &&
  card.issuer === 'stockholm' &&
  (card.state === 'ACTIVE' || card.state === 'AWAITING_HANDOVER') &&
  !isExpired(card, today);

/** R20, read as calendar months, clamped to the end of a shorter month (A15). */
export const lapsesOn = (ordered: Day): Day => addMonths(ordered, MONTHS_AN_ORDER_LASTS);

/** On the very day it is three months old nobody can say, and lärosätet is asked (A15). */
export const isOrderFresh = (ordered: Span, today: Day): boolean =>
  ordered.to <= today && today < lapsesOn(ordered.from);
export const isOrderLapsed = (ordered: Span, today: Day): boolean => today > lapsesOn(ordered.to);

/** R17: the last day to renew without a gap. */
export const renewBy = (expires: Day): Day => addDays(expires, -DAYS_TO_RENEW_IN);
export const isTooLateToRenewInTime = (expires: Day, today: Day): boolean => today > renewBy(expires);

export function addDays(day: Day, days: number): Day {
  return toDay(Date.parse(day) + days * 86_400_000);
}

export function addMonths(day: Day, months: number): Day {
  const [year = 0, month = 0, date = 0] = day.split('-').map(Number);
  const lastDate = Number(toDay(Date.UTC(year, month + months, 0)).slice(8));
  return toDay(Date.UTC(year, month - 1 + months, Math.min(date, lastDate)));
}

/** Days are counted in UTC, where every one of them is as long as the next. */
const toDay = (time: number): Day => new Date(time).toISOString().slice(0, 10) as Day;
