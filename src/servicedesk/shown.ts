/** What the agents' page is shown, and asks for. The server writes it, and the page believes it only as far as this reads it. */
import * as z from 'zod/mini';

export const REASONS = ['asked', 'notUnderstood', 'outcome', 'opened'] as const;
export const OUTCOMES = ['resolved', 'referred', 'unreachable'] as const;
/** Why a card is revoked, as the ledger names it: R42, R43, R44, R45. */
export const REVOCATIONS = ['LOST', 'CODES_COMPROMISED', 'DETAILS_INCORRECT', 'MALFUNCTION'] as const;

const Agent = z.object({ id: z.string(), name: z.string() });
const Rule = z.object({ id: z.string(), text: z.string() });

export const CaseShown = z.object({
  id: z.string(),
  reason: z.enum(REASONS),
  /** In words. */
  path: z.optional(z.string()),
  /** As every time here, an instant. */
  waitingSince: z.string(),
  state: z.enum(['kept', 'waiting', 'claimed']),
  agent: z.optional(Agent),
  unanswered: z.number(),
});
export type CaseShown = z.infer<typeof CaseShown>;

/** `at` is what the time is there, to reckon waiting by. */
export const QueueShown = z.object({ at: z.string(), cases: z.array(CaseShown) });
export type QueueShown = z.infer<typeof QueueShown>;

export const EntryShown = z.object({
  seq: z.number(),
  at: z.string(),
  from: z.enum(['student', 'bot', 'agent', 'desk']),
  name: z.optional(z.string()),
  text: z.string(),
  cites: z.array(z.string()),
});
export type EntryShown = z.infer<typeof EntryShown>;

/** Everything in it is in words. */
export const BriefShown = z.object({
  wish: z.optional(z.string()),
  state: z.optional(z.string()),
  known: z.array(z.object({ name: z.string(), value: z.string(), from: z.enum(['student', 'agent']) })),
  cards: z.array(z.object({ name: z.string(), state: z.string() })),
  isProved: z.boolean(),
  tried: z.array(z.object({ text: z.string(), cites: z.array(z.string()) })),
  rules: z.array(Rule),
});
export type BriefShown = z.infer<typeof BriefShown>;

/** `seen` is the last entry of the log that is in it, shown or not. */
export const FileShown = z.object({
  case: CaseShown,
  isYours: z.boolean(),
  brief: BriefShown,
  log: z.array(EntryShown),
  seen: z.number(),
});
export type FileShown = z.infer<typeof FileShown>;

const ReceiptShown = z.object({ number: z.string(), at: z.string() });
export const CardShown = z.object({
  id: z.string(),
  ending: z.string(),
  kind: z.enum(['ordinary', 'reserve']),
  issuer: z.enum(['stockholm', 'other']),
  state: z.enum([
    'ORDERED',
    'PHOTOGRAPHED',
    'IN_PRODUCTION',
    'LAPSED',
    'CANCELLED',
    'AWAITING_HANDOVER',
    'ACTIVE',
    'EXPIRED',
    'VOIDED',
    'DESTROYED',
    'REVOKED',
  ]),
  orderedOn: z.string(),
  issuedOn: z.optional(z.string()),
  expiresOn: z.optional(z.string()),
  receipt: z.optional(ReceiptShown),
  isRevocable: z.boolean(),
});
export type CardShown = z.infer<typeof CardShown>;

/** What is answered to what an agent does: what came of it and, where somebody else has the case, who. */
export const Done = z.object({ outcome: z.string(), by: z.optional(z.string()) });
export type Done = z.infer<typeof Done>;
export const Opened = z.object({ id: z.string(), link: z.string() });
export type Opened = z.infer<typeof Opened>;
export const Confirmed = z.object({
  outcome: z.literal('confirmed'),
  confirmation: z.string(),
  cards: z.array(CardShown),
});
export const Revoked = z.object({ outcome: z.literal('revoked'), receipt: ReceiptShown });
export type ReceiptShown = z.infer<typeof ReceiptShown>;

/** Which cases may not be what they were. */
export const Changed = z.array(z.string());

/** A text to answer with, and what it is founded on. */
export type Canned = { name: string; title: string | undefined; text: string; cites: string[] };

/** A way to hand back onto, and what may be told along with it. */
export type Way = { intent: string; title: string; fields: Field[] };
export type Field = { fact: string; label: string } & (
  { kind: 'yesNo' | 'day' } | { kind: 'choice'; choices: { value: string; label: string }[] }
);
