/**
 * How a path learns who is asking, and which cards are theirs.
 *
 * Nobody is believed because of what they type: the proof is the world's, and
 * the cards are those the ledger reports of that very person. A ledger that
 * knows of no card, and one that may not tell, give the same answer. What a
 * student types back is a code that was shown to whoever signed in.
 */
import { assign } from 'xstate';
import { minutesBetween } from './proof.ts';
import { saysReminder } from './reminder.ts';
import { type Context, type Now, referenceFor, say, vocabulary } from './vocabulary.ts';

/** What may not be undone takes a proof that is no older than this. */
const MINUTES_A_PROOF_IS_FRESH = 15;

/** A proof that ended meanwhile has to be given again. */
export const provingAgain = { guard: isNobody, target: 'identifying' } as const;

/**
 * The states between a wish and the cards it is about. A path that has them
 * names what follows `cardsFound`, and whether the proof has to be fresh.
 * Where others read along, nobody is asked who they are.
 */
export function provingBy({ isFresh }: { isFresh: boolean }) {
  const proved = { target: 'findingCards', actions: 'signIn' } as const;
  const waiting = {
    meta: { asks: 'signInCode' },
    on: { signInCode: 'checkingCode' },
  } as const;
  return {
    proving: vocabulary.createStateConfig({
      always: [
        { guard: isAmongOthers, target: 'notIdentified', actions: say('conversation/notAmongOthers') },
        { guard: isFresh ? isFreshlyProved : isProved, target: 'findingCards' },
        { target: 'identifying' },
      ],
    }),
    identifying: vocabulary.createStateConfig({
      entry: {
        type: 'request',
        params: ({ context }) => ({
          request: 'identity.verify',
          isFresh,
          reference: referenceFor(context, 'identity'),
        }),
      },
      on: {
        'identity.verified': proved,
        'identity.signInNeeded': 'awaitingSignIn',
        'identity.refused': 'notIdentified',
      },
    }),
    awaitingSignIn: vocabulary.createStateConfig(waiting),
    checkingCode: vocabulary.createStateConfig({
      entry: {
        type: 'request',
        params: ({ context, event }) => ({
          request: 'identity.verify',
          isFresh,
          reference: referenceFor(context, 'identity'),
          ...('code' in event && { code: event.code }),
        }),
      },
      on: {
        'identity.verified': proved,
        'identity.codeIsWrong': 'codeIsWrong',
        'identity.codeIsSpent': { target: 'identifying', actions: say('conversation/codeIsSpent') },
        'identity.refused': 'notIdentified',
      },
    }),
    codeIsWrong: vocabulary.createStateConfig(waiting),
    findingCards: vocabulary.createStateConfig({
      always: provingAgain,
      entry: {
        type: 'request',
        params: ({ context }) => ({
          request: 'ledger.findCards',
          person: provedPerson(context),
          reference: referenceFor(context, 'cards'),
        }),
      },
      on: {
        'ledger.cardsFound': {
          guard: ({ context, event }) => event.person === context.identity?.person,
          target: 'cardsFound',
          // A revocation is nothing to be talked over: then it is said another time.
          actions: [assign(({ event }) => ({ cards: event.cards })), ...(isFresh ? [] : [saysReminder])],
        },
        'ledger.unreachable': {
          guard: ({ event }) => event.request === 'ledger.findCards',
          target: 'ledgerIsDown',
        },
        'ledger.unanswered': {
          guard: ({ event }) => event.request === 'ledger.findCards',
          target: 'ledgerIsSlow',
        },
      },
    }),
  };
}

export function provedPerson({ identity }: Context): string {
  if (!identity) throw new Error('Nobody has proved who they are');
  return identity.person;
}

export function isNobody({ context: { identity } }: Now): boolean {
  return identity === undefined;
}

export function isAmongOthers({ context }: Pick<Now, 'context'>): boolean {
  return context.isAmongOthers === true;
}

export function isProved({ context: { identity } }: Now): boolean {
  return identity !== undefined;
}

export function isFreshlyProved(now: Now): boolean {
  const { identity } = now.context;
  return identity !== undefined && minutesBetween(identity.provedAt, now.event.at) < MINUTES_A_PROOF_IS_FRESH;
}
