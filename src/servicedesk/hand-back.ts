/**
 * How a conversation goes back to the bot, in the one payload that every desk
 * sends: our own page, or a hub's. It is believed only as far as this reads it.
 */
import { z } from 'zod';
import { type Day } from '../../dialogs/card-validity.ts';
import { factsOf } from '../../dialogs/chart.ts';
import { type Answer, answers, type Beginning, beginnings, type Intent } from '../../dialogs/intents.ts';
import type { Fact, Known } from '../../dialogs/vocabulary.ts';

const told = <Value extends z.ZodType>(value: Value) => z.union([value, z.literal('unknown')]).exactOptional();
const yesOrNo = told(z.boolean());
const Day = z.iso.date().transform((day) => day as Day);
const span = told(z.strictObject({ from: Day, to: Day }).refine(({ from, to }) => from <= to, 'ends before it begins'));

/** Everything that may be known, as agents may tell it. */
const KnownFacts = z.strictObject({
  cardKind: told(z.enum(['ordinary', 'reserve'])),
  cardReady: yesOrNo,
  cardWorks: yesOrNo,
  certificateGranted: yesOrNo,
  codesArrived: yesOrNo,
  collectedCard: yesOrNo,
  expiresOn: span,
  hasCard: yesOrNo,
  hasExpired: yesOrNo,
  hasOldCertificate: yesOrNo,
  hasPinCodes: yesOrNo,
  hasPuk: yesOrNo,
  issuedOn: span,
  issuer: told(z.enum(['stockholm', 'other'])),
  jobshApproved: yesOrNo,
  orderedOn: span,
  orderedBeforeChange: yesOrNo,
  photographed: yesOrNo,
  photoSite: told(z.enum(['lindhagen', 'sodersjukhuset'])),
  reason: told(z.enum(['lost', 'codesExposed', 'detailsWrong', 'malfunction', 'wrongPin'])),
  severalCertificates: yesOrNo,
  temporarily: yesOrNo,
  wasUpgraded: yesOrNo,
  whereabouts: told(z.enum(['lost', 'atHome', 'found'])),
  wrongPin: yesOrNo,
} satisfies Record<Fact, z.ZodType>) satisfies z.ZodType<Known>;

/** What can be handed back onto: whatever has an answer or a path. */
export const handBackIntents: readonly (Answer | keyof typeof beginnings)[] = [
  ...answers,
  ...(Object.keys(beginnings) as (keyof typeof beginnings)[]),
];

/** The facts that a way may be handed back with. An answer heeds none. */
export const factsFor = (intent: Intent): readonly Fact[] => {
  const beginning = new Map<string, Beginning>(Object.entries(beginnings)).get(intent);
  return beginning ? factsOf(beginning.path) : [];
};

export type HandBack = z.output<typeof HandBack>;
/** `agent` is whose hand it is; of our own page it is the session that tells. */
export const HandBack = z
  .strictObject({
    path: z.enum(handBackIntents).exactOptional(),
    known: KnownFacts.exactOptional(),
    reason: z.string().trim().max(500).exactOptional(),
    agent: z.string().min(1).max(200),
  })
  .superRefine(({ path, known = {} }, context) => {
    const facts = path ? factsFor(path) : [];
    for (const fact of Object.keys(known)) {
      if (!facts.some((each) => each === fact))
        context.addIssue({ code: 'custom', path: ['known', fact], message: `is no fact of ${path ?? 'no path'}` });
    }
  });
