/**
 * How a path learns who is asking, and which cards are theirs.
 *
 * Nobody is believed because of what they type: the proof is the world's, and
 * the cards are those the ledger reports of that very person. A ledger that
 * knows of no card, and one that may not tell, give the same answer.
 */
import { assign } from 'xstate';
import { type Context, type Now, referenceFor, vocabulary } from './vocabulary.ts';

const MINUTES_A_PROOF_LASTS = 15;

/** The states between a wish and the cards it is about. A path that has them names what follows `cardsFound`. */
export const proving = {
  proving: vocabulary.createStateConfig({
    always: [{ guard: isProved, target: 'findingCards' }, { target: 'identifying' }],
  }),
  identifying: vocabulary.createStateConfig({
    entry: {
      type: 'request',
      params: ({ context }) => ({ request: 'identity.verify', reference: referenceFor(context, 'identity') }),
    },
    on: {
      'identity.verified': {
        target: 'findingCards',
        actions: assign(({ event: { person, at } }) => ({ identity: { person, provedAt: at }, cards: [] })),
      },
      'identity.refused': 'notIdentified',
    },
  }),
  findingCards: vocabulary.createStateConfig({
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
        actions: assign(({ event }) => ({ cards: event.cards })),
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

export function provedPerson({ identity }: Context): string {
  if (!identity) throw new Error('Nobody has proved who they are');
  return identity.person;
}

export function isProved({ context: { identity }, event }: Now): boolean {
  const minutes = (Date.parse(event.at) - Date.parse(identity?.provedAt ?? '')) / 60_000;
  return minutes < MINUTES_A_PROOF_LASTS;
}
