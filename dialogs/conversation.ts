/**
 * The conversation: the one statechart every chat is held in.
 *
 * Two things go on at once: what we talk about, and how well we hear each
 * other. What may happen anywhere happens here, so a path knows nothing of it.
 * A question is answered in place, and no state is left for it; the guided path
 * then asks its own again. A path that is left for another can be come back to.
 */
import { assign, type StateValue } from 'xstate';
import { lapsesOn, renewBy } from './card-validity.ts';
import { quotableOf, quotableReceipt } from './card-status.ts';
import { guidedPaths, ofAskedDay, pathBeginnings, waysBack } from './guided-paths.ts';
import { linesOfHandingOver } from './handing-over.ts';
import { answers, type Intent, talk } from './intents.ts';
import { proofHasEnded } from './proof.ts';
import { isAmongOthers, isNobody } from './proving.ts';
import { answered, asking, isBeingRated, isOver, isUnrated } from './rating.ts';
import { hintsAtReminder, isReadByThemAlone, isWantedHere, linesOfReminders, saysReminder } from './reminder.ts';
import { isLedOut, isPathOff, lineOfSwitching, linesOfSwitching } from './switching.ts';
import {
  type Context,
  dayOf,
  handOver,
  type Moment,
  nobody,
  nothingTold,
  type Now,
  type Quotable,
  say,
  spanOf,
  vocabulary,
} from './vocabulary.ts';

/** What is offered to a student whom we have twice failed to understand. */
const commonWishes: Intent[] = ['lost-card', 'pin-locked', 'order-first-card', 'pickup-ready', 'renew'];

const answersInPlace = Object.fromEntries(
  answers.map((intent) => [
    `intent.${intent}`,
    [
      ...(intent === 'sos-office' ? ofAskedDay('sodersjukhuset', intent) : []).map(({ guard, line }) => ({
        guard,
        actions: say(line),
      })),
      { actions: say(`${intent}/answer`) },
    ],
  ]),
);

const sayWhatIsOff = { type: 'say', params: (now: Now) => ({ line: lineOfSwitching(now) }) } as const;

export const conversation = vocabulary.createMachine({
  id: 'conversation',
  type: 'parallel',
  context: ({ input }) => ({
    ...nothingTold,
    identity: input.proof && { ...input.proof, seenAt: input.at },
    conversation: input.conversation,
    ...(input.isAmongOthers && { isAmongOthers: true }),
    isUnsettled: false,
  }),
  entry: {
    type: 'say',
    params: ({ context }) => ({
      line: isAmongOthers({ context }) ? 'conversation/welcomeAmongOthers' : 'conversation/welcome',
    }),
  },
  meta: { says: ['conversation/welcome', 'conversation/welcomeAmongOthers'] },
  states: {
    presence: {
      on: {
        '*': [
          { guard: isOfTheWorld },
          { guard: proofHasEnded, actions: [assign(nobody), say('conversation/proofHasEnded')] },
          { guard: isNobody },
          {
            actions: assign(({ context, event }) => ({
              identity: context.identity && { ...context.identity, seenAt: event.at },
            })),
          },
        ],
      },
    },
    talk: {
      initial: 'assisting',
      meta: {
        says: [
          'conversation/ambiguous',
          'conversation/choices',
          'reminders/waits',
          ...linesOfHandingOver,
          ...linesOfReminders,
          ...linesOfSwitching,
        ],
      },
      states: {
        assisting: {
          initial: 'listening',
          states: {
            listening: { entry: 'closePath' },
            ...guidedPaths,
            returning: { id: 'returning', always: [...waysBack, { target: 'listening' }] },
          },
        },
      },
      on: {
        ...pathBeginnings,
        ...answersInPlace,
        'intent.greeting': { actions: say('conversation/greeting') },
        'intent.thanks': [
          { guard: isOver, actions: [say('conversation/thanks'), ...asking] },
          { actions: say('conversation/thanks') },
        ],
        'intent.help': { actions: say('conversation/help') },
        'intent.are-you-a-bot': { actions: say('conversation/whoIAm') },
        'intent.talk-to-human': [
          { guard: isAmongOthers, actions: [say('conversation/notAmongOthers'), handOver('asked')] },
          { actions: handOver('asked') },
        ],
        'intent.out-of-scope': { actions: say('conversation/outOfScope') },
        'intent.cancel': {
          target: '.assisting.listening',
          actions: ['forgetWayBack', say('conversation/stopped')],
        },
        startOver: {
          target: '.assisting.listening',
          actions: [
            assign(({ context: { identity } }) => ({ ...nothingTold, identity })),
            say('conversation/startedOver'),
          ],
        },
        signOut: [
          { guard: isNobody, actions: say('conversation/nobodyIsSignedIn') },
          {
            target: '.assisting.listening',
            actions: ['forgetEverything', say('conversation/signedOut')],
          },
        ],
        forgetMe: {
          target: '.assisting.forgetting',
          actions: { type: 'leavePathFor', params: 'forgetting' },
        },
        remindMe: {
          target: '.assisting.reminders',
          actions: [
            { type: 'leavePathFor', params: 'reminders' },
            { type: 'noteReminding', params: { remindingWish: 'start' } },
          ],
        },
        stopReminding: {
          target: '.assisting.reminders',
          actions: [
            { type: 'leavePathFor', params: 'reminders' },
            { type: 'noteReminding', params: { remindingWish: 'stop' } },
          ],
        },
        'reminder.due': [
          { guard: isReadByThemAlone, actions: saysReminder },
          { guard: isWantedHere, actions: hintsAtReminder },
        ],
        signInCode: { actions: say('conversation/codeIsUnasked') },
        back: [{ guard: hasLeftPath, target: '#returning' }, { actions: say('conversation/nothingToGoBackTo') }],
        yes: [
          { guard: hasWayBack, target: '#returning' },
          { guard: isBeingRated, actions: [answered, say('conversation/helped')] },
          { actions: say('conversation/nothingWasAsked') },
        ],
        no: [
          { guard: hasWayBack, target: '.assisting.listening', actions: 'forgetWayBack' },
          {
            guard: isBeingRated,
            actions: [answered, { type: 'learnFrom', params: { kind: 'notHelped' } }, say('conversation/notHelped')],
          },
          { actions: say('conversation/nothingWasAsked') },
        ],
        told: { actions: { type: 'learn', params: ({ event }) => event.told } },
        ambiguous: {
          actions: {
            type: 'say',
            params: ({ event }) => ({ line: 'conversation/ambiguous', offers: event.between }),
          },
        },
        secret: { actions: say('conversation/secret') },
        wordless: { actions: say('conversation/wordless') },
        outdated: { actions: say('conversation/outdated') },
        edited: { actions: say('conversation/edited') },
        'ledger.revoked': [
          // Another may sit there now: that it is done is told, and nothing of the card.
          { guard: isNobody, actions: [assign({ isUnsettled: false }), say('lost-card/revokedMeanwhile')] },
          {
            actions: [
              assign(({ event }) => ({ receipt: event.receipt, isUnsettled: false })),
              say('lost-card/revoked'),
            ],
          },
        ],
        'ledger.refused': {
          actions: [assign({ isUnsettled: false }), say('lost-card/refused'), handOver('outcome')],
        },
        'ledger.unreachable': {
          guard: ({ event }) => event.request === 'ledger.revoke',
          actions: [say('lost-card/notSent'), handOver('outcome')],
        },
        'ledger.unanswered': {
          guard: ({ event }) => event.request === 'ledger.revoke',
          actions: [assign({ isUnsettled: true }), say('lost-card/uncertain'), handOver('outcome')],
        },
        'operator.switchedOff': [
          {
            guard: isLedOut,
            target: '.assisting.listening',
            actions: ['stepAside', say('switches/cannotGoOn'), sayWhatIsOff],
          },
          { actions: sayWhatIsOff },
        ],
        'operator.switchedOn': { actions: say('switches/botIsOn') },
        'desk.handedBack': [
          {
            guard: (now) => now.event.isClosed === true && isUnrated(now),
            target: '.assisting.listening',
            actions: ['comeBack', say('conversation/caseIsClosed'), ...asking],
          },
          {
            guard: ({ event }) => event.isClosed === true,
            target: '.assisting.listening',
            actions: ['comeBack', say('conversation/caseIsClosed')],
          },
          {
            guard: ({ event }) => event.isUnanswered === true,
            target: '.assisting.listening',
            actions: ['comeBack', say('conversation/deskDidNotAnswer')],
          },
          // There was nobody before the bot to come back from.
          { guard: ({ event }) => event.isBeginning === true, actions: 'comeBack' },
          { target: '.assisting.listening', actions: ['comeBack', say('conversation/handedBack')] },
        ],
      },
    },
    hearing: {
      initial: 'clear',
      states: {
        clear: { on: { unclear: { target: 'unclearOnce', actions: say('conversation/unclear') } } },
        unclearOnce: {
          on: {
            unclear: {
              target: 'unclearTwice',
              actions: { type: 'say', params: { line: 'conversation/choices', offers: commonWishes } },
            },
          },
        },
        unclearTwice: { on: { unclear: { target: 'clear', actions: handOver('notUnderstood') } } },
      },
      on: {
        '*': [
          {
            guard: isWish,
            target: '.clear',
            actions: assign(({ event, context: { rating } }) => ({
              wish: event.type.replace('intent.', '') as Intent,
              ...(rating && { rating: 'done' as const }),
            })),
          },
          { guard: isUnderstood, target: '.clear' },
        ],
      },
    },
  },
});

export function isOfTheWorld({ event: { type } }: Pick<Now, 'event'>): boolean {
  return /^(ledger|identity|desk|reminder)\./.test(type);
}

function hasLeftPath({ context: { left } }: Now): boolean {
  return left !== undefined;
}

/** The way back is what was asked about last: no other question is open. */
function hasWayBack({ context: { left, path }, event }: Now): boolean {
  return left !== undefined && path === undefined && !isPathOff(event, left);
}

/** To be asked back is neither to be understood nor not; and what the world reports says nothing of it. */
function isUnderstood({ event: { type } }: Now): boolean {
  return !/^(unclear|ambiguous|secret|wordless|outdated|edited|ledger\..*|identity\..*|desk\..*|reminder\..*)$/.test(
    type,
  );
}

function isWish({ event: { type } }: Now): boolean {
  return type.startsWith('intent.') && !talk.some((each) => type === `intent.${each}`);
}

/** The state the talk rests in, by the name its line has in `content/`: `lost-card/confirming`. */
export function restingState({ value }: { value: { talk: StateValue } }): string {
  const [place, state] = statesIn(value.talk).filter((name) => name !== 'assisting');
  return state ? `${place}/${state}` : `conversation/${place}`;
}

/** Outermost first. It is asked for all the time, so no list is made of each level. */
function statesIn(value: StateValue): string[] {
  if (typeof value === 'string') return [value];
  const names: string[] = [];
  for (const name in value) {
    const inner = value[name];
    names.push(name);
    if (inner) names.push(...statesIn(inner));
  }
  return names;
}

/** What a line may quote. Of a card, no more than its last four characters is ever shown. */
export function quotable({ cards, known, left, proposal, receipt }: Context, moment: Moment): Quotable {
  const today = dayOf(moment);
  const proposed = cards.find(({ id }) => id === proposal?.card);
  const ordered = spanOf(known.orderedOn);
  const expires = spanOf(known.expiresOn);
  return {
    today: { day: today },
    nextAtBooth: { opening: moment.next.booth, today },
    nextAtSodersjukhuset: { opening: moment.next.sodersjukhuset, today },
    ...(moment.asked && {
      askedDay: { askedDay: moment.asked.day, today },
      slotsAtBooth: { slots: moment.asked.slots.booth },
      slotsAtSodersjukhuset: { slots: moment.asked.slots.sodersjukhuset },
    }),
    ...(ordered && { orderLapsesOn: { day: lapsesOn(ordered.from) } }),
    ...(expires && { expiryTold: { day: expires.from }, renewBy: { day: renewBy(expires.from) } }),
    ...(left && { leftPath: { word: left } }),
    ...(moment.desk?.next && { deskOpens: { opening: moment.desk.next, today } }),
    ...(proposed && quotableOf(proposed)),
    ...(proposal && { reason: { word: proposal.reason } }),
    ...(receipt && quotableReceipt(receipt)),
  };
}
