/** What may be heard and reported, in few words, for the tests. */
import type { Card } from '../../dialogs/card-validity.ts';
import type { Intent } from '../../dialogs/intents.ts';
import type { Heard, Instant, Known, LedgerRequest, Moment, Proof, Reported } from '../../dialogs/vocabulary.ts';

export type Event = Heard | Reported;

export const at = '2026-11-23T08:00:00+01:00';
export const aWhileLater = '2026-11-23T08:16:00+01:00';

/** A moment whose next openings are made up: which they are is for the calendar to know, and changes no way. */
export const momentAt = (instant: Instant): Moment => ({
  at: instant,
  next: {
    booth: { day: '2026-11-24', from: '8:00', to: '16:00' },
    sodersjukhuset: { day: '2026-11-24', from: '9:30', to: '10:30' },
  },
  asked: undefined,
});

export const now = momentAt(at);

export const ordinary = {
  id: 'c_ordinary',
  ending: '4711',
  kind: 'ordinary',
  issuer: 'stockholm',
  state: 'ACTIVE',
  orderedOn: '2025-11-23',
  issuedOn: '2025-12-23',
  expiresOn: '2030-12-23',
  assurance: 3,
} as const satisfies Card;
export const reserve = { ...ordinary, id: 'c_reserve', ending: '0815', kind: 'reserve' } as const satisfies Card;
export const receipt = { number: 'S-1', card: ordinary.id, ending: ordinary.ending, at } as const;

export const wants = (intent: Intent, told: Known = {}): Heard => ({ ...now, type: `intent.${intent}`, told });
export const told = (facts: Known): Heard => ({ ...now, type: 'told', told: facts });
export const yes: Heard = { ...now, type: 'yes' };
export const no: Heard = { ...now, type: 'no' };
export const back: Heard = { ...now, type: 'back' };
export const startOver: Heard = { ...now, type: 'startOver' };
export const unclear: Heard = { ...now, type: 'unclear' };

/** Proved just then, for longer than any of the tests' whiles. */
export const proofOf = (person: string, provedAt: Instant = at): Proof => ({
  person,
  provedAt,
  endsAt: new Date(Date.parse(provedAt) + 30 * 60_000).toISOString(),
  idleMinutes: 20,
});
export const verified: Reported = { ...now, type: 'identity.verified', proof: proofOf('anna') };
export const signInNeeded: Reported = { ...now, type: 'identity.signInNeeded' };
export const codeIsWrong: Reported = { ...now, type: 'identity.codeIsWrong' };
export const codeIsSpent: Reported = { ...now, type: 'identity.codeIsSpent' };
export const code: Heard = { ...now, type: 'signInCode', code: 'BCDFGHJK' };
export const signOut: Heard = { ...now, type: 'signOut' };
export const forgetMe: Heard = { ...now, type: 'forgetMe' };
export const refused: Reported = { ...now, type: 'identity.refused' };
export const found = (...cards: Card[]): Reported => ({ ...now, type: 'ledger.cardsFound', person: 'anna', cards });
export const revoked: Reported = { ...now, type: 'ledger.revoked', receipt };
export const unreachable = (request: LedgerRequest): Reported => ({ ...now, type: 'ledger.unreachable', request });
export const unanswered = (request: LedgerRequest): Reported => ({ ...now, type: 'ledger.unanswered', request });
