/**
 * The guided path for a card that is to be revoked: lost or stolen, its codes
 * known to somebody else, its details wrong, or broken beyond mending (T5).
 *
 * A card is revoked only for a person who proved who they are a short while
 * ago, only if the ledger says the card is theirs, and only on an explicit yes
 * to that very card. An unanswered revocation is never called undone.
 */
import { assign } from 'xstate';
import { type Card, isExpired, isIssued, isRevocable, type Receipt } from './card-validity.ts';
import { proofHasEnded } from './proof.ts';
import { isFreshlyProved, provedPerson, provingAgain, provingBy } from './proving.ts';
import {
  type Context,
  dayOf,
  isTold,
  knows,
  type Known,
  type Now,
  outcomes,
  outcomesForHumans,
  referenceFor,
  type Revocation,
  type RevocationReason,
  say,
  vocabulary,
} from './vocabulary.ts';

/** What the ledger answers of the revocation we asked for, now or when asked again. */
const settled = {
  'ledger.revoked': {
    guard: ({ context, event }: { context: Context; event: { receipt: Receipt } }) =>
      event.receipt.card === context.proposal?.card,
    target: 'revoked',
    actions: vocabulary.assign(({ event }) =>
      event.type === 'ledger.revoked' ? { receipt: event.receipt, isUnsettled: false } : {},
    ),
  },
  'ledger.refused': { target: 'refused', actions: vocabulary.assign({ isUnsettled: false }) },
} as const;

export const lostCard = vocabulary.createStateConfig({
  id: 'lost-card',
  entry: { type: 'openPath', params: 'lost-card' },
  initial: 'askingReason',
  states: {
    askingReason: {
      meta: { asks: 'reason' },
      always: [
        {
          guard: knows({ reason: 'wrongPin' }),
          target: '#pin-trouble',
          actions: { type: 'learn', params: { collectedCard: true } },
        },
        { guard: knows({ reason: 'malfunction' }), target: '#malfunction' },
        { guard: knows({ reason: 'lost' }), target: 'askingWhereabouts' },
        { guard: knows({ reason: 'unknown' }), target: 'reasonUnknown' },
        { guard: isTold('reason'), target: 'proving' },
      ],
    },
    askingWhereabouts: {
      meta: { asks: 'whereabouts' },
      always: [
        { guard: knows({ whereabouts: 'atHome' }), target: 'leftAtHome' },
        { guard: knows({ whereabouts: 'found' }), target: 'kept' },
        { guard: isTold('whereabouts'), target: 'proving' },
      ],
    },
    ...provingBy({ isFresh: true }),
    cardsFound: {
      always: [
        { guard: hasSeveralCards, target: 'choosingCard' },
        { guard: hasOneCard, target: 'confirming' },
        { guard: hasCardFromElsewhere, target: 'otherRegion' },
        { guard: lastCardIsRevoked, target: 'alreadyRevoked', actions: assign(lastReceipt) },
        { guard: lastCardHasExpired, target: 'hasExpired' },
        { target: 'noCertainCard' },
      ],
    },
    choosingCard: {
      meta: { asks: 'cardKind' },
      always: [
        provingAgain,
        { guard: oneCardIsMeant, target: 'confirming' },
        { guard: cardKindTellsNothing, target: 'noCertainCard' },
      ],
    },
    confirming: {
      meta: { asks: 'confirmation' },
      always: provingAgain,
      entry: assign((now: Now) => ({ proposal: revocation(now) })),
      on: {
        yes: [
          { guard: proofHasEnded, target: 'identifying' },
          { guard: proofIsOld, target: 'identifying', actions: say('lost-card/proofHasLapsed') },
          { target: 'revoking', actions: { type: 'request', params: ({ context }) => confirmed(context) } },
        ],
        no: 'kept',
      },
    },
    revoking: {
      on: {
        ...settled,
        'ledger.unreachable': { guard: ({ event }) => event.request === 'ledger.revoke', target: 'notSent' },
        'ledger.unanswered': {
          guard: ({ event }) => event.request === 'ledger.revoke',
          target: 'uncertain',
          actions: assign({ isUnsettled: true }),
        },
        'intent.cancel': { actions: say('lost-card/tooLateToStop') },
      },
    },
    ...outcomes('lost-card', 'reasonUnknown', 'leftAtHome', 'alreadyRevoked', 'otherRegion', 'hasExpired'),
    ...outcomesForHumans(
      'lost-card',
      'notIdentified',
      'ledgerIsDown',
      'ledgerIsSlow',
      'noCertainCard',
      'refused',
      'notSent',
    ),
    kept: {
      ...outcomes('lost-card', 'kept').kept,
      // The card that was read back may have been the wrong one of two.
      entry: ['closePath', { type: 'forget', params: ['cardKind'] }],
    },
    revoked: {
      ...outcomes('lost-card', 'revoked').revoked,
      on: { 'intent.help': { actions: [say('lost-card/whatNow'), say('conversation/help')] } },
    },
    uncertain: { ...outcomesForHumans('lost-card', 'uncertain').uncertain, on: settled },
  },
});

const reasons: Record<Exclude<NonNullable<Known['reason']>, 'wrongPin' | 'unknown'>, RevocationReason> = {
  lost: 'LOST', // R42
  codesExposed: 'CODES_COMPROMISED', // R43
  detailsWrong: 'DETAILS_INCORRECT', // R44
  malfunction: 'MALFUNCTION', // R45
};

function revocation({ context, event }: Now): Revocation {
  const [card] = cardsMeant({ context, event });
  const { reason = 'unknown' } = context.known;
  if (!card) throw new Error('lost-card: there is no certain card to confirm');
  if (reason === 'unknown' || reason === 'wrongPin') throw new Error('lost-card: there is no reason to revoke');
  return {
    request: 'ledger.revoke',
    person: provedPerson(context),
    card: card.id,
    reason: reasons[reason],
    reference: referenceFor(context, `revocation/${card.id}/${reasons[reason]}`),
  };
}

function confirmed({ proposal }: Context): Revocation {
  if (!proposal) throw new Error('lost-card: nothing has been confirmed');
  return proposal;
}

function proofIsOld(now: Now): boolean {
  return !isFreshlyProved(now);
}

/** What can be revoked here. A card that waits at the office is theirs to ask about only if its codes are out. */
function revocable({ context: { cards, known }, event }: Now): Card[] {
  return cards
    .filter((card) => isRevocable(card, dayOf(event)))
    .filter(({ state }) => state === 'ACTIVE' || known.reason === 'codesExposed');
}

/** The cards the student may mean: all there are or, if those are several, the ones of the kind they have told us. */
function cardsMeant(now: Now): Card[] {
  const { cardKind } = now.context.known;
  const cards = revocable(now);
  return cards.length > 1 && cardKind ? cards.filter(({ kind }) => kind === cardKind) : cards;
}

function hasSeveralCards(now: Now): boolean {
  return revocable(now).length > 1;
}

function hasOneCard(now: Now): boolean {
  return revocable(now).length === 1;
}

function oneCardIsMeant(now: Now): boolean {
  return cardsMeant(now).length === 1;
}

function cardKindTellsNothing(now: Now): boolean {
  return new Set(cardsMeant(now).map(({ kind }) => kind)).size < 2;
}

function hasCardFromElsewhere({ context: { cards } }: Now): boolean {
  return cards.some(({ issuer }) => issuer === 'other');
}

/** What became of the card they had last: of several that are gone, it is the one they speak of. */
function lastCardIsRevoked({ context: { cards } }: Now): boolean {
  return lastIssued(cards)?.state === 'REVOKED';
}

function lastCardHasExpired({ context: { cards }, event }: Now): boolean {
  const card = lastIssued(cards);
  return card !== undefined && isExpired(card, dayOf(event));
}

function lastReceipt({ context: { cards } }: Now) {
  const card = lastIssued(cards);
  return card?.state === 'REVOKED' ? { receipt: card.receipt } : {};
}

const lastIssued = (cards: readonly Card[]) =>
  cards.filter(isIssued).sort((one, other) => (one.issuedOn < other.issuedOn ? 1 : -1))[0];
