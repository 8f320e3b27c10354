/**
 * A walk through the whole statechart, to every rest there is.
 *
 * A path heeds only its own facts, so two rests on it are the same when those
 * are. From every place every wish is taken once, and every report that may
 * come late; from every rest, with whatever is known there, every answer. The
 * walk begins with nothing known, with each single fact known beforehand, and
 * with a person proved; or, with nobody proved, where others read along.
 *
 * From every rest of it that asks something, what may be said there is also said when that has been switched off, and
 * when everything else has (`switchedOffIn`).
 *
 * It does not try every combination of facts that an agent may hand over at
 * once, more than two cards, or wishes from a place it has been to with other
 * facts: a wish is the root's, and the root heeds no facts.
 */
import { initialTransition } from 'xstate';
import { addDays, addMonths, type Card, type Day, type Span } from '../../dialogs/card-validity.ts';
import { factsOf } from '../../dialogs/chart.ts';
import { conversation, restingState } from '../../dialogs/conversation.ts';
import { answers, type Beginning, beginnings, type Intent, intents } from '../../dialogs/intents.ts';
import type { Reminder } from '../../dialogs/due-reminders.ts';
import type { Asks, Fact, Heard, Known, Moment, Reported } from '../../dialogs/vocabulary.ts';
import { asked, type Rest, type Turn, turnFrom } from '../../src/turn.ts';
import { type Event, momentAt, ordinary, proofOf, reserve } from './events.ts';

export type Step = Turn & { before: Rest; event: Event; after: Rest; wayTo: () => string };
export type Walk = { day: Day; rests: Rest[]; steps: Step[] };

type Samples = { [Name in Fact]-?: NonNullable<Known[Name]>[] };

/** What may be told of each fact, on a day; the boundaries that its guards have are among them. */
export function samplesOn(today: Day): Samples {
  const yesOrNo = [true, false, 'unknown' as const];
  const spans = (...days: Day[]): (Span | 'unknown')[] => [
    ...days.map((day) => ({ from: day, to: day })),
    { from: addMonths(today, -9), to: today },
    'unknown',
  ];
  return {
    cardKind: ['ordinary', 'reserve', 'unknown'],
    cardReady: yesOrNo,
    cardWorks: yesOrNo,
    certificateGranted: yesOrNo,
    codesArrived: yesOrNo,
    expiresOn: spans(addDays(today, -1), addDays(today, 55), addDays(today, 56)),
    collectedCard: yesOrNo,
    hasCard: yesOrNo,
    hasExpired: yesOrNo,
    hasOldCertificate: yesOrNo,
    hasPinCodes: yesOrNo,
    hasPuk: yesOrNo,
    issuedOn: [...spans('2019-05-01', '2020-06-01', '2021-05-01'), { from: '2020-01-01', to: '2020-03-31' }],
    issuer: ['stockholm', 'other', 'unknown'],
    jobshApproved: yesOrNo,
    orderedBeforeChange: yesOrNo,
    orderedOn: spans(addMonths(today, -1), addMonths(today, -3), addMonths(today, -5)),
    photographed: yesOrNo,
    photoSite: ['lindhagen', 'sodersjukhuset', 'unknown'],
    reason: ['lost', 'codesExposed', 'detailsWrong', 'malfunction', 'wrongPin', 'unknown'],
    severalCertificates: yesOrNo,
    temporarily: yesOrNo,
    wasUpgraded: yesOrNo,
    whereabouts: ['lost', 'atHome', 'found', 'unknown'],
    wrongPin: yesOrNo,
  };
}

/** Known paths are asked of only once: what they heed does not change. */
export const heeded = (path: string): Fact[] => heededBy.get(path) ?? [];
const heededBy = new Map<string, Fact[]>(Object.values(beginnings).map(({ path }) => [path, factsOf(path)]));

/** What can be said to a question, among it that one does not know. */
export function answersTo(fact: Asks | undefined, moment: Moment): Heard[] {
  const samples = samplesOn(moment.at.slice(0, 10) as Day);
  const tell = (known: Known): Heard => ({ ...moment, type: 'told', told: known });
  if (fact === undefined || fact === 'confirmation') return [];
  if (fact === 'signInCode') return [{ ...moment, type: 'signInCode', code: 'BCDFGHJK' }];
  if (fact !== 'readiness') return samples[fact].map((value) => tell({ [fact]: value }));
  return samples.cardReady.flatMap((cardReady) =>
    samples.codesArrived.map((codesArrived) => tell({ cardReady, codesArrived })),
  );
}

/**
 * The walk on a day, of the wishes that are given; a path that none of them begins is not walked. Among others no human
 * can take over, as the world has it: no event tells of a desk.
 */
export function walkOn(day: Day, wished: readonly Intent[] = intents, isAmongOthers = false): Walk {
  const moment = momentAt(`${day}T08:00:00+01:00`);
  const later = momentAt(`${day}T08:16:00+01:00`);
  const muchLater = momentAt(`${day}T08:40:00+01:00`);
  const visited = new Set<string>();
  // It is the same on any day, and no path's own.
  const isReminded = wished.includes('card-status');
  const events = (rest: Rest): Event[] => {
    const { talk: _, hearing } = rest.value;
    const place = `${restingState(rest)} ${String(rest.context.left !== undefined)}`;
    const isNew = !visited.has(`${place} ${hearing}`);
    const isNewPlace = !visited.has(place);
    visited.add(place).add(`${place} ${hearing}`);
    return [
      ...(isNewPlace ? [...wishes(moment, wished), ...secondWishes(moment, wished), ...news(moment)] : []),
      ...(isNewPlace ? humans(moment) : []),
      ...(isReminded && (isNewPlace || rest.context.remindedHere !== undefined) ? reminders(moment, muchLater) : []),
      ...(isNew ? [{ ...moment, type: 'unclear' } as const] : []),
      { ...moment, type: 'yes' },
      { ...moment, type: 'no' },
      { ...later, type: 'yes' },
      { ...muchLater, type: 'yes' },
      ...answersTo(asked(rest).fact, muchLater).slice(0, 1),
      ...answersTo(asked(rest).fact, moment),
      ...(isWaiting(rest) ? [...reports(moment), ...reports({ ...moment, desk: OPEN }).filter(isForHumans)] : []),
    ];
  };

  const rests = new Map<string, { rest: Rest; way: Event[] }>();
  const steps: Step[] = [];
  const queue: string[] = [];
  const arrive = (rest: Rest, way: Event[]) => {
    const key = sameness(rest);
    if (rests.has(key)) return;
    rests.set(key, { rest, way });
    queue.push(key);
  };

  for (const { rest, way } of startsAt(moment, wished, isAmongOthers)) arrive(rest, way);
  for (let key = queue.shift(); key !== undefined; key = queue.shift()) {
    const here = rests.get(key);
    if (!here) continue;
    for (const event of events(here.rest)) {
      if (isAmongOthers && event.desk) continue;
      const turn = turnFrom(here.rest, [event]);
      const after = restAfter(turn);
      const way = [...here.way, event];
      steps.push({ ...turn, before: here.rest, event, after, wayTo: () => describeWay(way, here.rest) });
      arrive(after, way);
    }
  }
  return { day, rests: [...rests.values()].map(({ rest }) => rest), steps };
}

export type SwitchedStep = Step & { off: ReadonlySet<string> };

/**
 * What comes of what is said in the middle of a path that has been switched off, or where all others have: from every
 * place of these walks, with some of what may be known there.
 */
export function switchedOffIn(walks: readonly Walk[]): { inTheMiddle: SwitchedStep[]; elsewhere: SwitchedStep[] } {
  const each = walks.map(switchedOffOn);
  return {
    inTheMiddle: each.flatMap(({ inTheMiddle }) => inTheMiddle),
    elsewhere: each.flatMap(({ elsewhere }) => elsewhere),
  };
}

const RESTS_OF_A_PLACE = 3;

function switchedOffOn({ day, rests: all }: Walk): { inTheMiddle: SwitchedStep[]; elsewhere: SwitchedStep[] } {
  const moment = momentAt(`${day}T08:00:00+01:00`);
  const places = new Map<string, Rest[]>();
  for (const rest of all) places.set(restingState(rest), [...(places.get(restingState(rest)) ?? []), rest]);
  const rests = [...places.values()].flatMap((same) => same.slice(-RESTS_OF_A_PLACE));
  const step = (before: Rest, event: Event, off: ReadonlySet<string>): SwitchedStep => {
    const turn = turnFrom(before, [{ ...event, off }]);
    const wayTo = () => `${restingState(before)} → ${event.type}, without ${[...off].join(', ')}`;
    return { ...turn, before, event, after: restAfter(turn), wayTo, off };
  };
  const paths = [...heededBy.keys(), 'forgetting'];
  const asking = rests.filter(({ context }) => context.path !== undefined);
  const inTheMiddle = asking.flatMap((rest) => {
    const off = new Set([rest.context.path ?? '']);
    const events: Event[] = [
      ...(['yes', 'no', 'back', 'unclear', 'intent.help', 'intent.renew', 'intent.valid-id'] as const).map(
        (type): Event => ({ ...moment, type }),
      ),
      ...answersTo(asked(rest).fact, moment).slice(0, 3),
      ...(isWaiting(rest) ? reports(moment) : []),
    ];
    return events.map((event) => step(rest, event, off));
  });
  const elsewhere = [
    ...asking.flatMap((rest) => {
      const off = new Set(paths.filter((path) => path !== rest.context.path));
      return [{ ...moment, type: 'yes' } as const, ...answersTo(asked(rest).fact, moment)].map((event) =>
        step(rest, event, off),
      );
    }),
    ...[...places.values()]
      .flatMap((same) => same.slice(-1))
      .flatMap((rest) => {
        const [path = ''] = restingState(rest).split('/');
        return [
          ...Object.entries<Beginning>(beginnings)
            .filter(([, begun]) => begun.path !== path)
            .map(([intent, begun]) => step(rest, wish(moment, intent, {}), new Set([begun.path]))),
          ...answers.map((intent) => step(rest, { ...moment, type: `intent.${intent}` }, new Set([intent]))),
          ...(path === 'forgetting' ? [] : [step(rest, { ...moment, type: 'forgetMe' }, new Set(['forgetting']))]),
        ];
      }),
  ];
  return { inTheMiddle, elsewhere };
}

/** Before anything is said: nobody proved, somebody proved, and every single fact known beforehand on its paths. */
function startsAt(moment: Moment, wished: readonly Intent[], isAmongOthers: boolean): { rest: Rest; way: Event[] }[] {
  const nobody = { conversation: 'c-1', isAmongOthers, proof: undefined, at: moment.at };
  const [plain] = initialTransition(conversation, nobody);
  const [proved] = initialTransition(conversation, { ...nobody, proof: proofOf('anna', moment.at) });
  const samples = Object.entries(samplesOn(moment.at.slice(0, 10) as Day)) as [Fact, unknown[]][];
  const begins = new Map(
    Object.entries(beginnings)
      .filter(([intent]) => wished.includes(intent as Intent))
      .map(([intent, { path }]) => [path, intent]),
  );
  const told = [...begins].flatMap(([path, intent]) =>
    samples
      .filter(([fact]) => heeded(path).includes(fact))
      .flatMap(([fact, values]) => values.map((value) => wish(moment, intent, { [fact]: value }))),
  );
  const after = (rest: Rest, event: Heard) => ({ rest: restAfter(turnFrom(rest, [event])), way: [event] });
  const withProof = () => [
    { rest: proved, way: [] },
    ...pathsThatProve
      .filter((intent) => wished.includes(intent))
      .map((intent) => after(proved, wish(moment, intent, {}))),
    after(proved, { ...moment, type: 'remindMe' }),
    after(proved, { ...moment, type: 'stopReminding' }),
  ];
  return [{ rest: plain, way: [] }, ...told.map((event) => after(plain, event)), ...(isAmongOthers ? [] : withProof())];
}

const wish = (moment: Moment, intent: string, told: Known): Heard => ({
  ...moment,
  type: `intent.${intent as Intent}`,
  told,
});

export const restAfter = ({ saved }: Turn): Rest => conversation.restoreSnapshot(saved.snapshot, undefined as never);

const wishes = (moment: Moment, wished: readonly Intent[]): Heard[] => [
  ...wished.map((intent): Heard => ({ ...moment, type: `intent.${intent}` })),
  { ...moment, type: 'back' },
  { ...moment, type: 'startOver' },
  { ...moment, type: 'signOut' },
  { ...moment, type: 'forgetMe' },
  { ...moment, type: 'remindMe' },
  { ...moment, type: 'stopReminding' },
  { ...moment, type: 'signInCode', code: 'BCDFGHJK' },
  { ...moment, type: 'ambiguous', between: ['lost-card', 'pin-locked'] },
  { ...moment, type: 'secret' },
  { ...moment, type: 'wordless' },
  { ...moment, type: 'outdated' },
  { ...moment, type: 'edited' },
];

const isForHumans = (report: Reported) =>
  report.type === 'ledger.cardsFound'
    ? report.cards.length === 0
    : /^(identity|ledger)\.(refused|unreachable|unanswered)$/.test(report.type);
const OPEN = { isOpen: true, next: undefined };
/** A human is wanted, whatever their desk's hours; and comes back, with or without having closed the case. */
const humans = (moment: Moment): Event[] => [
  ...[OPEN, { isOpen: false, next: moment.next.booth }, { isOpen: false, next: undefined }].map((desk): Event => ({
    ...moment,
    desk,
    type: 'intent.talk-to-human',
  })),
  { ...moment, type: 'desk.handedBack' },
  { ...moment, type: 'desk.handedBack', told: { hasCard: true } },
  { ...moment, type: 'desk.handedBack', isClosed: true },
  { ...moment, type: 'desk.handedBack', isUnanswered: true },
];

/** Of each line there is of it: on their own account, and where they may have asked for it, while they are proved or no more. */
const reminders = (moment: Moment, muchLater: Moment): Event[] => {
  const due = { type: 'reminder.due', person: 'anna', isHinted: false } as const;
  const [own, elsewhere] = [
    { ...due, isOwnAccount: true },
    { ...due, isOwnAccount: false },
  ];
  const all = remindersOn(moment);
  return [
    ...all.map((reminder): Event => ({ ...moment, ...own, reminder })),
    ...all.slice(0, 1).flatMap((reminder): Event[] => [
      { ...moment, ...elsewhere, reminder },
      { ...muchLater, ...elsewhere, reminder },
      { ...muchLater, ...elsewhere, reminder, isHinted: true },
      { ...muchLater, ...elsewhere, person: 'bo', reminder },
    ]),
  ];
};

const remindersOn = ({ at }: Moment): Reminder[] => {
  const day = at.slice(0, 10) as Day;
  const waiting = { ...ordinary, expiresOn: addMonths(day, 40), state: 'AWAITING_HANDOVER' } as const;
  const { id, ending, kind, issuer } = ordinary;
  const orderedOn = addMonths(day, -2);
  return [
    { stage: 'renew', card: { ...ordinary, expiresOn: addDays(day, 30) } },
    { stage: 'lapses', card: { id, ending, kind, issuer, state: 'ORDERED', orderedOn } },
    ...(['lindhagen', 'sodersjukhuset', undefined] as const).map((photoSite): Reminder => ({
      stage: 'pickup',
      card: { ...waiting, photoSite },
    })),
  ];
};

/** What was wished in the same message as something else, and waits while that has its questions. */
const secondWishes = (moment: Moment, wished: readonly Intent[]): Heard[] =>
  wished.filter((intent) => intent === 'renew').map((intent) => ({ ...moment, type: `intent.${intent}`, waits: true }));

const isWaiting = (rest: Rest) =>
  ['identifying', 'awaitingSignIn', 'checkingCode', 'codeIsWrong', 'findingCards', 'revoking'].some((state) =>
    restingState(rest).endsWith(state),
  );

/** What the ledger may report when the talk has long moved on. */
const news = (moment: Moment): Reported[] => reports(moment).filter(({ type }) => type !== 'ledger.cardsFound');

export const reports = (moment: Moment): Reported[] => {
  const day = moment.at.slice(0, 10) as Day;
  const active: Card = { ...ordinary, expiresOn: addMonths(day, 40) };
  const order = {
    id: 'c_1',
    ending: '0001',
    kind: 'ordinary',
    issuer: 'stockholm',
    orderedOn: addMonths(day, -1),
  } as const;
  const holdings: Card[][] = [
    [],
    [active],
    [active, { ...reserve, expiresOn: addDays(day, 60) }],
    [active, { ...active, id: 'c_other', ending: '4712' }],
    [{ ...active, expiresOn: addDays(day, 30) }],
    [{ ...active, state: 'EXPIRED', expiresOn: addDays(day, -3) }],
    [{ ...active, state: 'AWAITING_HANDOVER', photoSite: 'lindhagen' }],
    [{ ...active, state: 'AWAITING_HANDOVER', photoSite: 'sodersjukhuset' }],
    [
      {
        ...active,
        state: 'REVOKED',
        receipt: { number: 'S-0', card: ordinary.id, ending: ordinary.ending, at: moment.at },
      },
    ],
    [{ ...active, issuer: 'other' }],
    [{ ...active, issuedOn: '2019-10-10', assurance: 2 }],
    [{ ...active, state: 'AWAITING_HANDOVER', photoSite: undefined }],
    [{ ...active, state: 'VOIDED' }],
    [{ ...active, state: 'DESTROYED' }],
    [{ ...order, state: 'ORDERED' }],
    [{ ...order, state: 'PHOTOGRAPHED' }],
    [{ ...order, state: 'IN_PRODUCTION' }],
    [{ ...order, state: 'CANCELLED' }],
    [{ ...order, state: 'LAPSED', orderedOn: addMonths(day, -4) }],
  ];
  return [
    { ...moment, type: 'identity.verified', proof: proofOf('anna', moment.at) },
    { ...moment, type: 'identity.signInNeeded' },
    { ...moment, type: 'identity.codeIsWrong' },
    { ...moment, type: 'identity.codeIsSpent' },
    { ...moment, type: 'identity.refused' },
    ...holdings.map((cards): Reported => ({ ...moment, type: 'ledger.cardsFound', person: 'anna', cards })),
    { ...moment, type: 'ledger.cardsFound', person: 'anna', cards: [active], canRemind: true },
    ...remindersOn(moment)
      .slice(0, 1)
      .map((reminder): Reported => {
        return { ...moment, type: 'ledger.cardsFound', person: 'anna', cards: [reminder.card], reminder };
      }),
    { ...moment, type: 'ledger.cardsFound', person: 'bo', cards: [{ ...ordinary, id: 'c_9999', ending: '9999' }] },
    {
      ...moment,
      type: 'ledger.revoked',
      receipt: { number: 'S-1', card: ordinary.id, ending: ordinary.ending, at: moment.at },
    },
    { ...moment, type: 'ledger.refused' },
    { ...moment, type: 'ledger.unreachable', request: 'ledger.findCards' },
    { ...moment, type: 'ledger.unreachable', request: 'ledger.revoke' },
    { ...moment, type: 'ledger.unanswered', request: 'ledger.findCards' },
    { ...moment, type: 'ledger.unanswered', request: 'ledger.revoke' },
  ];
};

/**
 * Two rests are the same when nothing tells them apart from there on. Who was
 * proved, and which cards were found, matters only while a path is about them;
 * an outcome asks nothing, and keeps its facts for the next path that asks.
 */
function sameness(rest: Rest): string {
  const { value, context } = rest;
  const [path = '', state = ''] = restingState(rest).split('/');
  const isOpen = context.path !== undefined;
  const facts = heeded(path);
  const known = Object.entries(context.known).filter(([fact]) => facts.includes(fact as Fact));
  const held = context.cards.map(({ id, state: each }) => [id, each]);
  const proof = aboutCards.includes(state) && [context.identity?.person, held, context.proposal];
  const isProved = context.identity !== undefined && [...pathsThatProve, 'reminders'].includes(path);
  return JSON.stringify([
    value,
    isOpen && known.sort(),
    proof,
    isProved,
    context.path,
    context.left !== undefined,
    context.isUnsettled,
    path === 'conversation' && [context.wish !== undefined, context.rating],
    path === 'reminders' && [isOpen && context.remindingWish, context.remindedHere],
  ]);
}

const pathsThatProve: Intent[] = ['lost-card', 'card-status'];
const aboutCards = ['choosingCard', 'confirming', 'revoking'];

function describeWay(way: Event[], from: Rest): string {
  const names = way.map((event) => (event.type === 'told' ? `told ${JSON.stringify(event.told)}` : event.type));
  return `${names.join(' → ')} (from ${restingState(from)})`;
}
