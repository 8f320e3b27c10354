/**
 * What the ledger knows of holders, their orders, cards and certificates: the
 * events that are kept, and what they add up to.
 *
 * Nothing is kept but events; every state is derived from them, on the day one
 * asks. A step that is not among the transitions cannot be taken, and there is
 * no suspension: what is revoked stays revoked.
 */
import { z } from 'zod';

/** As the ledger's transitions are listed, from each state to what may follow it. */
export const transitions = {
  ORDERED: ['PHOTOGRAPHED', 'IN_PRODUCTION', 'LAPSED', 'CANCELLED'],
  PHOTOGRAPHED: ['IN_PRODUCTION', 'CANCELLED'],
  IN_PRODUCTION: ['AWAITING_HANDOVER', 'CANCELLED'],
  AWAITING_HANDOVER: ['ACTIVE', 'VOIDED', 'REVOKED'],
  ACTIVE: ['REVOKED', 'EXPIRED'],
  REVOKED: ['DESTROYED'],
  EXPIRED: ['DESTROYED'],
  LAPSED: [],
  CANCELLED: [],
  VOIDED: [],
  DESTROYED: [],
} as const;

export type CardState = keyof typeof transitions;

export const REGION_STOCKHOLM = 'SE2321000016';

/** A day as 2026-11-23, in Swedish time. */
export const Day = z.iso.date();
/** An instant in UTC, such as 2026-11-23T07:00:00.000Z. */
export const Instant = z.iso.datetime();
/** A person's name in the ledger: opaque, and the same for the same person. */
export const HolderId = z.string().regex(/^h_[A-Za-z0-9_-]{43}$/);
/** Opaque, and no number that is printed on a card. */
export const CardId = z.string().regex(/^c_[A-Za-z0-9_-]{8,64}$/);
/** Short enough to read over the telephone. */
export const ReceiptNumber = z.string().regex(/^S(-[0-9A-F]{4}){3}$/);
export const Kind = z.enum(['ORDINARY', 'RESERVE']);
export const IssuerOrg = z.string().regex(/^SE\d{10}$/);
export const PhotoSite = z.enum(['LINDHAGEN', 'SODERSJUKHUSET']);
/** R42, R43, R44 and R45, in that order. */
export const Reason = z.enum(['LOST', 'CODES_COMPROMISED', 'DETAILS_INCORRECT', 'MALFUNCTION']);
/** RFC 5280, 5.3.1: keyCompromise, affiliationChanged, superseded, cessationOfOperation. Derived, never stored. */
export const ReasonCode = z.literal([1, 3, 4, 5]);

export const Certificate = z.object({
  serial: z.string().min(1).max(80),
  subjectType: z.enum(['HSA_ID', 'PERSON_ID']),
  usage: z.enum(['AUTH', 'SIGN']),
  loa: z.literal([2, 3]),
  notAfter: Day,
  origin: z.enum(['INITIAL', 'UPGRADE', 'SUPPLEMENTARY']),
});

export type Reason = z.infer<typeof Reason>;
export type Certificate = z.infer<typeof Certificate>;

/** The proof of a revocation. A card has one, for ever. */
export type Receipt = {
  number: string;
  card: string;
  /** The last four characters of the card's number. */
  ending: string;
  reason: Reason;
  reasonCode: z.infer<typeof ReasonCode>;
  at: string;
};

/** A card as it is on a day. */
export type Card = {
  id: string;
  /** The last four characters of its number. More of it leaves the ledger for nobody. */
  ending: string;
  kind: z.infer<typeof Kind>;
  issuerOrg: string;
  hasPhoto: boolean;
  state: CardState;
  orderedOn: string;
  /** The order is gone after this day (R20). */
  lapsesOn: string;
  issuedOn?: string;
  expiresOn?: string;
  photoSite?: z.infer<typeof PhotoSite>;
  /** In use, not expired, and with a certificate that is not dead on this day (R10). */
  usable: boolean;
  certificates: (Certificate & { state: 'GOOD' | 'REVOKED' })[];
  receipt?: Receipt;
};

/** What became of a request to revoke a card. */
export type Revoked =
  /** `isNew` is false if the card was revoked before: the receipt is the first one. */
  | { outcome: 'revoked'; receipt: Receipt; isNew: boolean }
  /** Nothing was done, for the card has expired. */
  | { outcome: 'expired' }
  /** No such card of that holder: it is unknown, somebody else's, or its holder is protected. */
  | { outcome: 'unknown' }
  /** Only the region that issued it can revoke it. */
  | { outcome: 'otherRegion' }
  /** It has never been in anybody's hands, or is gone. */
  | { outcome: 'notInUse' }
  /** The idempotency key was used before, for something else. */
  | { outcome: 'keyReused' };

/** `client` and `key` together name an errand: the same again is answered as the first time. */
export type RevocationOrder = {
  holder: string;
  card: string;
  reason: Reason;
  /** Where the request was made, such as `chat` or `servicedesk`. */
  channel: string;
  client: string;
  key: string;
};

/** The ledger itself, in this process. Its neighbours come to it through the API or the port. */
export type Registry = {
  /** The opaque name of whoever has this identifier. Everybody has one, also those the ledger does not know. */
  holderFor: (identifier: string) => string;
  /** No cards of an unknown holder, nor of one that is protected. */
  cardsOf: (holder: string) => Promise<Card[]>;
  revoke: (order: RevocationOrder) => Promise<Revoked>;
  /** The receipt of that number, if it is of one of that holder's cards and the holder is not protected. */
  receiptOf: (holder: string, number: string) => Promise<Receipt | undefined>;
  /** Keeps what has happened, all of it or, if any of it is impossible, nothing. */
  record: (happenings: readonly Happening[], client: string) => Promise<{ problems: string[] }>;
  /** The last event: the chain up to here is what it is. */
  head: () => Promise<{ position: number; hash: string }>;
  /** Lines of canonical JSON, each one event with its hash, in order. */
  lines: (after: number, limit: number) => Promise<string[]>;
};

/** What may be reported to the ledger from outside; a revocation is ordered, not reported. */
const OfHolder = z.object({ holder: HolderId });
const OfCard = OfHolder.extend({ card: CardId });
export const Happening = z.discriminatedUnion('type', [
  /** `nationalId` is masked already, as 19900101-••••. */
  OfHolder.extend({ type: z.literal('holder.registered'), nationalId: z.string().max(20).optional() }),
  OfHolder.extend({ type: z.literal('holder.protected') }),
  OfHolder.extend({ type: z.literal('holder.unprotected') }),
  OfCard.extend({
    type: z.literal('card.ordered'),
    order: z.string().min(1).max(80),
    number: z.string().min(4).max(40),
    kind: Kind,
    orderedOn: Day,
  }),
  OfCard.extend({ type: z.literal('card.photographed'), site: PhotoSite }),
  OfCard.extend({ type: z.literal('card.produced') }),
  OfCard.extend({
    type: z.literal('card.dispatched'),
    issuedOn: Day,
    expiresOn: Day,
    certificates: z.array(Certificate).min(1).max(20),
  }),
  OfCard.extend({ type: z.literal('card.handedOver') }),
  /** A card of another region is known here from the day a supplementary certificate is to be put on it (R38). */
  OfCard.extend({
    type: z.literal('card.acknowledged'),
    number: z.string().min(4).max(40),
    issuerOrg: IssuerOrg,
    issuedOn: Day,
    expiresOn: Day,
    certificates: z.array(Certificate).max(20),
  }),
  OfCard.extend({ type: z.literal('certificate.issued'), certificate: Certificate }),
  OfCard.extend({ type: z.literal('card.lapsed') }),
  OfCard.extend({ type: z.literal('card.cancelled') }),
  OfCard.extend({ type: z.literal('card.voided') }),
  OfCard.extend({ type: z.literal('card.expired') }),
  OfCard.extend({ type: z.literal('card.destroyed') }),
  /** The holder says so (R49). It is no state: a card that is active ought to be revoked. */
  OfCard.extend({ type: z.literal('card.destructionReported') }),
]);
export type Happening = z.infer<typeof Happening>;
