/**
 * What holds for every conversation, on every path, written or not.
 *
 * Each promise is about single steps, and every step there is has been taken,
 * so it holds for every walk. A promise that is broken is shown by the shortest
 * walks that break it. What the walk leaves out is said in `walk.ts`.
 */
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Day } from '../../dialogs/card-validity.ts';
import { lines, places } from '../../dialogs/chart.ts';
import { restingState } from '../../dialogs/conversation.ts';
import { linesOfHandingOver } from '../../dialogs/handing-over.ts';
import { answers, beginnings, type PathName } from '../../dialogs/intents.ts';
import { linesOfReminders } from '../../dialogs/reminder.ts';
import type { Context, Fact, Reported, Request, Revocation } from '../../dialogs/vocabulary.ts';
import { createContent, readFiles } from '../../src/content.ts';
import { asked, turnFrom } from '../../src/turn.ts';
import { type Event, momentAt } from './events.ts';
import {
  answersTo,
  heeded,
  reports,
  restAfter,
  samplesOn,
  type Step,
  type SwitchedStep,
  switchedOffIn,
  type Walk,
  walkOn,
} from './walk.ts';

const content = createContent(readFiles(join(import.meta.dirname, '../../content')).reading);
const TODAY = '2026-11-23';
const allPlaces = places();
const today = walkOn(TODAY);

/** The days on which the same wish is to be answered otherwise, and the wishes. */
const ofTheClock = ['upgrade-possible', 'upgrade-how', 'upgrade-missed', 'old-card-dead', 'malfunction'] as const;
/** Where others read along, and the wishes that are answered otherwise there. */
const amongOthers = walkOn(TODAY, ['lost-card', 'card-status', 'talk-to-human', 'pin-locked'], true);
const walks: Walk[] = [
  today,
  amongOthers,
  ...(['2022-04-20', '2022-05-03', '2022-05-04', '2022-05-05'] as const).map((day) => walkOn(day, ofTheClock)),
];

/** From every place there is, without what it is in the middle of, or without all else. */
const switched = switchedOffIn(walks.filter(({ day }) => day <= '2022-04-20' || day === TODAY));
const whoseSwitchWasTurned = [...switched.inTheMiddle, ...switched.elsewhere];

const reportsOn = (request: Request): Reported['type'][] => {
  switch (request.request) {
    case 'identity.verify':
      return request.code === undefined
        ? ['identity.verified', 'identity.signInNeeded', 'identity.refused']
        : ['identity.verified', 'identity.codeIsWrong', 'identity.codeIsSpent', 'identity.refused'];
    case 'ledger.findCards':
      return ['ledger.cardsFound', 'ledger.unreachable', 'ledger.unanswered'];
    case 'ledger.revoke':
      return ['ledger.revoked', 'ledger.refused', 'ledger.unreachable', 'ledger.unanswered'];
  }
};

type Judgement = (step: Step) => boolean;

describe('every conversation', () => {
  it('answers whatever the student says', () => {
    expect(broken(({ event, replies }) => isHeard(event) && replies.length === 0)).toEqual([]);
  });

  it.each<[string, Judgement]>([
    ['intent.cancel', (step) => restsIn(step, 'conversation/listening') || says(step, 'lost-card/tooLateToStop')],
    [
      'startOver',
      (step) => restsIn(step, 'conversation/listening') && Object.keys(step.after.context.known).length === 0,
    ],
    [
      'signOut',
      ({ before, after, replies }) =>
        before.context.identity
          ? after.context.identity === undefined && linesOf(replies).includes('conversation/signedOut')
          : linesOf(replies).some((line) => /nobodyIsSignedIn|proofHasEnded/.test(line)),
    ],
    [
      'forgetMe',
      (step) =>
        step.before.context.isUnsettled
          ? restsIn(step, 'forgetting/waitsForLedger') || says(step, 'forgetting/waitsForLedger')
          : restsIn(step, 'forgetting/confirming'),
    ],
    ['remindMe', (step) => restsIn(step, 'reminders/')],
    ['stopReminding', (step) => restsIn(step, 'reminders/')],
    ['intent.help', (step) => says(step, 'conversation/help') && !moves(step)],
    ['intent.talk-to-human', (step) => linesOfHandingOver.some((line) => says(step, line)) && !moves(step)],
    ['intent.out-of-scope', (step) => says(step, 'conversation/outOfScope') && !moves(step)],
    ...answers.map((intent): [string, Judgement] => [
      `intent.${intent}`,
      (step) => says(step, `${intent}/answer`) && !moves(step),
    ]),
  ])('heeds %s wherever it is', (type, heeded) => {
    expect(allPlaces.filter(({ isTransient, name }) => !isTransient && !hears(name, type))).toEqual([]);
    expect(brokenBy(type, (step) => !heeded(step))).toEqual([]);
  });

  it.each(Object.keys(beginnings))('begins what %s wants, wherever it is', (intent) => {
    const [first] = stepsOf(today).get(`intent.${intent}`) ?? [];
    const [lineAtFirst = ''] = first?.replies.map(({ line }) => line) ?? [];
    const isBegun = (step: Step) =>
      isKept(step) || restsIn(step, `${beginnings[intent as keyof typeof beginnings].path}/`);
    const passedOn = ['malfunction/', 'pin-trouble/', 'supplementary-certificate/', 'order/'];
    const isPassedOn = (step: Step) => passedOn.some((path) => restsIn(step, path));
    expect(lineAtFirst).not.toBe('');
    expect(
      brokenBy(`intent.${intent}`, (step) => !isBegun(step) && !isPassedOn(step) && !inPassing(step, intent)),
    ).toEqual([]);
  });

  it('keeps a second wish while the first has its questions, and comes to it then', () => {
    const kept = today.steps.filter(isKept);
    expect(kept.length).toBeGreaterThan(10);
    expect(kept.filter((step) => moves(step) || step.after.context.left !== 'renewal')).toEqual([]);
    expect(today.steps.filter((step) => 'waits' in step.event && !isKept(step) && !restsIn(step, 'renewal/'))).toEqual(
      [],
    );
  });

  it('asks again what it asked, after whatever was said in between', () => {
    const forgets = ({ before, after, replies, event, handsOver }: Step) =>
      isHeard(event) &&
      !handsOver?.isNow &&
      asked(before).fact !== undefined &&
      !moves({ before, after }) &&
      !isLastSaid(replies, after);
    expect(broken(forgets)).toEqual([]);
  });

  it('goes on with a path that was left in the middle, once the other is through', () => {
    const ways = today.steps.filter((step) => step.before.context.left !== undefined && step.event.type === 'back');
    const stays = ways.filter(
      (step) => step.before.context.path === undefined && step.after.context.path === undefined,
    );
    const goesOn = ({ before, replies }: Step) =>
      replies.some(({ line }) => line.startsWith(`${before.context.left ?? ''}/`) || line === 'conversation/wayBack');
    expect(ways.length).toBeGreaterThan(10);
    expect(stays.filter((step) => !goesOn(step)).map((step) => step.wayTo())).toEqual([]);
  });

  it('asks for nothing it has been told', () => {
    const knows = (rest: Step['before']) => (asked(rest).fact ?? '') in rest.context.known;
    expect(walks.flatMap(({ rests }) => rests.filter(knows).map(restingState))).toEqual([]);
  });

  it('goes on from every question, also with an answer that the student does not know', () => {
    const stuck = ({ before, event, after }: Step) =>
      event.type === 'told' && asked(before).fact !== undefined && !moves({ before, after });
    expect(broken((step) => stuck(step) && restingState(step.before) !== 'lost-card/choosingCard')).toEqual([]);
  });

  it('asks at most four questions of its own on a path, before it says what to do', () => {
    const most = (Object.keys(alone) as PathName[]).map((path) => [path, longestQuestioning(path)] as const);
    expect(most.filter(([, questions]) => questions > 4)).toEqual([]);
  });

  it('listens for every report on what it requests', () => {
    const isOn = (report: Event, request: string) => !('request' in report) || report.request === request;
    const deaf = ({ after, requests, event }: Step) =>
      requests.some((request) =>
        reportsOn(request).some((type) => {
          const possible = reports(momentAt(event.at)).filter(
            (report) => report.type === type && isOn(report, request.request),
          );
          return possible.every((report) => turnFrom(after, [report]).replies.length === 0);
        }),
      );
    expect(broken(deaf)).toEqual([]);
  });

  it('comes to every place there is', () => {
    const rests = new Set(walks.flatMap((walk) => walk.rests.map(restingState)));
    const unvisited = allPlaces.filter(({ name, isTransient }) => !isTransient && !rests.has(name));
    expect(unvisited.map(({ name }) => name)).toEqual([]);
  });

  it('is led by no other facts than those its path heeds', () => {
    const strangers = (path: string) =>
      (Object.entries(samplesOn(TODAY)) as [Fact, unknown[]][]).filter(([fact]) => !heeded(path).includes(fact));
    const asking = new Map(
      today.rests.map((rest) => [`${restingState(rest)} ${Object.keys(rest.context.known).length}`, rest]),
    );
    const misled = [...asking.values()].flatMap((rest) => {
      const [path = ''] = restingState(rest).split('/');
      const known = Object.fromEntries(strangers(path).map(([fact, [value]]) => [fact, value]));
      const burdened = { ...rest, context: { ...rest.context, known: { ...known, ...rest.context.known } } };
      return answersTo(asked(rest).fact, momentAt(`${TODAY}T08:00:00+01:00`))
        .filter((event) => turnFrom(rest, [event]).state.startsWith(`${path}/`))
        .filter((event) => turnFrom(rest, [event]).state !== turnFrom(burdened as typeof rest, [event]).state)
        .map((event) => `${restingState(rest)} ${JSON.stringify(event)}`);
    });
    expect(misled).toEqual([]);
  });
});

describe('every reply', () => {
  it('has a line, and knows what the line quotes', () => {
    const spoken = walks.flatMap(({ day, steps }) =>
      [
        ...new Map(
          steps.flatMap(({ replies }) => replies.map((reply) => [JSON.stringify(reply), reply] as const)),
        ).values(),
      ].map((reply) => content.speak(reply, day).text),
    );
    expect(spoken.length).toBeGreaterThan(100);
    expect(spoken.filter((text) => text === '' || /[{}]/.test(text))).toEqual([]);
  });

  it('claims nothing that no rule in force on its day says', () => {
    const unfounded = walks.flatMap(({ day, steps }) =>
      [...new Set(steps.flatMap(({ replies }) => replies.map(({ line }) => line)))].filter(
        (line) => !isFounded(line, day),
      ),
    );
    expect(unfounded).toEqual([]);
  });

  it('is said by some step, if it is written', () => {
    const all = [...walks.flatMap(({ steps }) => steps), ...whoseSwitchWasTurned];
    const said = new Set(all.flatMap(({ replies }) => replies.map(({ line }) => line)));
    // What is said of a day that is asked about is left to the calendar's tests and the chats.
    expect([...lines()].filter((line) => !said.has(line) && !line.endsWith('ThatDay')).sort()).toEqual([
      'conversation/welcome',
      'conversation/welcomeAmongOthers',
      // The bot is silent in no step of a walk; `src/conversations` has a test of it.
      'switches/botIsOn',
    ]);
  });
});

describe('whoever is handed over to a human', () => {
  const handingOver = today.steps.filter(({ handsOver }) => handsOver !== undefined);
  const toSettle = [
    'notIdentified',
    'ledgerIsDown',
    'ledgerIsSlow',
    'noCertainCard',
    'refused',
    'notSent',
    'uncertain',
  ];

  it('is so on their own wish, or where only a human can settle it', () => {
    expect(handingOver.filter(({ handsOver }) => handsOver?.reason === 'asked').length).toBeGreaterThan(50);
    const isUncalledFor = ({ event, handsOver, after, replies }: Step) => {
      if (handsOver?.reason === 'asked') return event.type !== 'intent.talk-to-human';
      const [path = '', state = ''] = restingState(after).split('/');
      const isSaid = replies.some(({ line }) => toSettle.some((each) => line === `lost-card/${each}`));
      return !(path === 'lost-card' && toSettle.includes(state)) && !isSaid;
    };
    expect(broken((step) => step.handsOver !== undefined && isUncalledFor(step))).toEqual([]);
  });

  it('is so wherever a revocation is left to a human, if there is one', () => {
    const isLeft = (step: Step) =>
      moves(step) && toSettle.some((state) => restsIn(step, `lost-card/${state}`)) && step.event.desk?.isOpen === true;
    expect(new Set(today.steps.filter(isLeft).map(({ after }) => restingState(after))).size).toBe(toSettle.length);
    expect(broken((step) => isLeft(step) && !step.handsOver?.isNow)).toEqual([]);
  });

  it('is asked nothing more, and has nothing requested but what they said yes to', () => {
    const isTalkedTo = ({ replies, requests, handsOver }: Step) =>
      handsOver?.isNow === true &&
      (replies.at(-1)?.line !== 'conversation/handedOver' ||
        requests.some(({ request }) => request !== 'ledger.revoke'));
    expect(broken(isTalkedTo)).toEqual([]);
  });

  it('is told whom to contact where there is no human to be had', () => {
    const isLost = (step: Step) =>
      step.event.type === 'intent.talk-to-human' && !step.event.desk && !says(step, 'conversation/human');
    expect(broken(isLost)).toEqual([]);
  });

  it('comes back to nothing confirmed, and to a way on with what was left', () => {
    const isBack = ({ event }: Step) => event.type === 'desk.handedBack';
    const isStale = ({ before, after, event }: Step) =>
      after.context.proposal !== undefined ||
      asked(after).fact !== undefined ||
      after.context.left !== (isClosed(event) ? undefined : (before.context.path ?? before.context.left));
    expect(today.steps.filter(isBack).length).toBeGreaterThan(100);
    expect(broken((step) => isBack(step) && isStale(step))).toEqual([]);
    expect(broken((step) => isBack(step) && says(step, 'conversation/welcome'))).toEqual([]);
  });
});

const isClosed = (event: Event) => event.type === 'desk.handedBack' && event.isClosed === true;

describe('whoever writes where others read along', () => {
  const isPrivate = ({ event, before }: Step) =>
    event.type === 'intent.card-status' ||
    event.type === 'intent.talk-to-human' ||
    (restingState(before) === 'lost-card/askingWhereabouts' &&
      event.type === 'told' &&
      event.told.whereabouts === 'lost');

  it('has nothing requested of the world, and is handed over to nobody', () => {
    expect(amongOthers.steps.length).toBeGreaterThan(500);
    expect(amongOthers.steps.filter(({ requests }) => requests.length > 0).map((step) => step.wayTo())).toEqual([]);
    expect(amongOthers.steps.filter(({ handsOver }) => handsOver).map((step) => step.wayTo())).toEqual([]);
  });

  it('is asked neither who they are nor to confirm anything, but to be forgotten', () => {
    const asks = amongOthers.rests.filter((rest) => /signInCode|confirmation/.test(asked(rest).fact ?? ''));
    expect(new Set(asks.map(restingState))).toEqual(new Set(['forgetting/confirming']));
  });

  it('is led to a chat of their own with what is about their own card', () => {
    const asking = amongOthers.steps.filter(isPrivate);
    expect(new Set(asking.map(({ event }) => event.type)).size).toBe(3);
    expect(asking.filter((step) => !says(step, 'conversation/notAmongOthers')).map((step) => step.wayTo())).toEqual([]);
  });
});

describe('whoever has proved who they are', () => {
  const isProvedBefore = ({ before }: Step) => before.context.identity !== undefined;

  it('is nobody again when they have not written for a while', () => {
    const isStill = ({ after }: Step) => after.context.identity !== undefined || after.context.cards.length > 0;
    const late = today.steps.filter((step) => isHeardMuchLater(step.event) && isProvedBefore(step));
    expect(late.length).toBeGreaterThan(50);
    expect(broken((step) => isHeardMuchLater(step.event) && isProvedBefore(step) && isStill(step))).toEqual([]);
  });

  it('is told so', () => {
    const isTold = (step: Step) => says(step, 'conversation/proofHasEnded');
    expect(broken((step) => isHeardMuchLater(step.event) && isProvedBefore(step) && !isTold(step))).toEqual([]);
  });

  it('is asked to prove it anew, whatever path they are on', () => {
    const isStranded = ({ after, event }: Step) =>
      isHeard(event) &&
      after.context.identity === undefined &&
      /choosingCard|confirming$|findingCards/.test(restingState(after));
    expect(broken((step) => isStranded(step) && !restsIn(step, 'forgetting/'))).toEqual([]);
  });
});

describe('whoever wants to be forgotten', () => {
  const erasing = today.steps.filter(({ erases }) => erases !== undefined);

  it('is forgotten on nothing but a yes to that question', () => {
    expect(erasing.length).toBeGreaterThan(0);
    const isUnasked = ({ before, event }: Step) =>
      event.type !== 'yes' || restingState(before) !== 'forgetting/confirming';
    expect(broken((step) => step.erases !== undefined && isUnasked(step))).toEqual([]);
  });

  it('is forgotten whole, with everything else of theirs if they are proved', () => {
    const isLeft = ({ before, event, after, erases }: Step) =>
      erases?.person !== (isHeardMuchLater(event) ? undefined : before.context.identity?.person) ||
      after.context.identity !== undefined ||
      Object.keys(after.context.known).length > 0 ||
      after.context.left !== undefined;
    expect(broken((step) => step.erases !== undefined && isLeft(step))).toEqual([]);
  });

  it('is not forgotten while the ledger has not said how a revocation went', () => {
    expect(broken((step) => step.erases !== undefined && step.before.context.isUnsettled)).toEqual([]);
  });
});

describe('what is switched off', () => {
  const wrong = (steps: readonly SwitchedStep[], isWrong: (step: SwitchedStep) => boolean) =>
    steps
      .filter(isWrong)
      .slice(0, 3)
      .map((step) => step.wayTo());
  const pathIn = (name: string) => name.split('/')[0] ?? '';
  const isRevoking = ({ before }: Step) => restingState(before) === 'lost-card/revoking';
  const isOfTheWorld = ({ event }: Step) => /^(ledger|identity)\./.test(event.type);
  const saidInTheMiddle = switched.inTheMiddle.filter((step) => !isOfTheWorld(step) && !isRevoking(step));

  it('leads out whoever is in the middle of it, and says so and whom to contact', () => {
    const isTold = (step: Step) =>
      says(step, 'switches/cannotGoOn') &&
      says(step, step.before.context.path === 'lost-card' ? 'switches/revocationIsOff' : 'switches/pathIsOff');
    const isStillThere = ({ after, off }: SwitchedStep) =>
      off.has(pathIn(restingState(after))) || off.has(after.context.path ?? '');
    const rests = new Set(saidInTheMiddle.map(({ before }) => restingState(before)));
    expect(allPlaces.filter(({ asks, name }) => asks !== undefined && !rests.has(name))).toEqual([]);
    expect(wrong(saidInTheMiddle, (step) => !isTold(step) || isStillThere(step))).toEqual([]);
  });

  it('has nothing of it said, requested, handed over or erased, whatever is answered', () => {
    const isDone = ({ requests, erases, handsOver, replies, off }: SwitchedStep) =>
      requests.length > 0 ||
      erases !== undefined ||
      handsOver !== undefined ||
      replies.some(({ line }) => off.has(pathIn(line)));
    expect(wrong(saidInTheMiddle, isDone)).toEqual([]);
    expect(wrong(switched.inTheMiddle, (step) => !isOfTheWorld(step) && revocations(step).length > 0)).toEqual([]);
  });

  it('loses nothing that was told, and can be come back to when it is on again, but not before', () => {
    const isLost = ({ before, after }: Step) =>
      after.context.left !== before.context.path ||
      Object.keys(before.context.known).some((fact) => !(fact in after.context.known));
    const isOffered = (step: Step) => says(step, 'conversation/wayBack');
    const out = saidInTheMiddle.filter(({ event }) => event.type !== 'intent.renew');
    expect(wrong(out, (step) => isLost(step) || isOffered(step))).toEqual([]);
    const again = (step: SwitchedStep, isOn: boolean) => {
      const back = { ...momentAt(step.event.at), type: 'yes' as const };
      return turnFrom(step.after, [isOn ? back : { ...back, off: step.off }]).state;
    };
    const each = [
      ...new Map(
        out.filter(({ event }) => event.type === 'yes').map((step) => [restingState(step.before), step]),
      ).values(),
    ];
    const isAnother = (step: SwitchedStep) => pathIn(again(step, true)) !== step.before.context.path;
    // Where the triage has led to a revocation, it is gone through again.
    expect(wrong(each, (step) => isAnother(step) && step.before.context.known.reason !== 'malfunction')).toEqual([]);
    expect(wrong(each, (step) => again(step, false) !== 'conversation/listening')).toEqual([]);
  });

  it('carries a revocation through that was requested before, and tells how it went', () => {
    const reported = switched.inTheMiddle.filter((step) => isRevoking(step) && isOfTheWorld(step));
    expect(reported.length).toBeGreaterThan(10);
    const isOtherwise = ({ before, event, replies }: Step) =>
      linesOf(replies).join() !== linesOf(turnFrom(before, [event]).replies).join();
    expect(wrong(reported, isOtherwise)).toEqual([]);
  });

  it('is led to by nothing else: neither a wish nor an answer on another path', () => {
    const isThere = ({ after, replies, off, requests }: SwitchedStep) =>
      off.has(pathIn(restingState(after))) ||
      replies.some(({ line }) => off.has(pathIn(line))) ||
      requests.some(({ request }) => request === 'ledger.revoke' && off.has('lost-card'));
    expect(switched.elsewhere.length).toBeGreaterThan(1_000);
    expect(wrong(switched.elsewhere, isThere)).toEqual([]);
  });

  it('is told of to whoever wishes for it, who stays where they were and is asked the same again', () => {
    const wishes = switched.elsewhere.filter(
      ({ event }) => event.type.startsWith('intent.') || event.type === 'forgetMe',
    );
    const isTold = (step: Step) => says(step, 'switches/pathIsOff') || says(step, 'switches/revocationIsOff');
    const isElsewhere = (step: Step) => moves(step) || step.requests.length > 0;
    const isLeft = (step: Step) => asked(step.before).fact !== undefined && !isLastSaid(step.replies, step.after);
    expect(wrong(wishes, (step) => !isTold(step) || isElsewhere(step) || isLeft(step))).toEqual([]);
  });
});

describe('whoever wants to be reminded', () => {
  const isReminder = ({ line }: { line: string }) => (linesOfReminders as readonly string[]).includes(line);
  const reminded = today.steps.filter(({ replies }) => replies.some(isReminder));
  const isHint = (step: Step) => says(step, 'reminders/waits');
  const personIn = ({ event }: Step) => ('person' in event ? event.person : undefined);

  it('is reminded in no other place than where only they read', () => {
    expect(new Set(reminded.flatMap(({ replies }) => replies.filter(isReminder)).map(({ line }) => line)).size).toBe(5);
    const isOverheard = (step: Step) => {
      const { before, event, replies } = step;
      if (!replies.some(isReminder)) return false;
      if (before.context.isAmongOthers) return true;
      if (event.type === 'reminder.due' && event.isOwnAccount) return false;
      return before.context.identity?.person !== personIn(step) || event.at.slice(11) > '08:30';
    };
    expect(broken(isOverheard)).toEqual([]);
  });

  it('is told that there is something where they asked for it, if they are not proved any more, and once', () => {
    const hinted = today.steps.filter(isHint);
    expect(hinted.length).toBeGreaterThan(0);
    const isUncalledFor = (step: Step) =>
      step.before.context.remindedHere !== personIn(step) ||
      !('isHinted' in step.event && !step.event.isHinted) ||
      step.replies.some(({ facts, line }) => line === 'reminders/waits' && 'cardKind' in facts);
    expect(broken((step) => isHint(step) && isUncalledFor(step))).toEqual([]);
  });

  it('is kept to be so, and kept to have been, by the same turn that says it', () => {
    const isUnkept = ({ replies, reminding: { says } }: Step) =>
      replies.some(isReminder) !== (says?.how === 'said') ||
      replies.some(({ line }) => line === 'reminders/waits') !== (says?.how === 'hinted');
    expect(broken(isUnkept)).toEqual([]);
    const starts = ({ reminding: { wants } }: Step) => wants !== undefined;
    const stops = ({ reminding }: Step) => reminding.stops !== undefined;
    const comesTo = (step: Step, state: string, by: string) =>
      restsIn(step, `reminders/${state}`) && (moves(step) || step.event.type === by);
    expect(broken((step) => starts(step) !== comesTo(step, 'wanted', 'remindMe'))).toEqual([]);
    expect(broken((step) => stops(step) !== comesTo(step, 'unwanted', 'stopReminding'))).toEqual([]);
  });

  it('begins with a proof of who they are, and ends with one, or where they asked for it', () => {
    const provedIn = ({ before, event }: Step) =>
      event.type === 'identity.verified' ? event.proof.person : before.context.identity?.person;
    const isStranger = (step: Step) => {
      const { wants, stops } = step.reminding;
      const isTheirs = stops && (stops.person === provedIn(step) || stops.person === step.before.context.remindedHere);
      return (wants && wants.person !== provedIn(step)) ?? (stops && !isTheirs) ?? false;
    };
    expect(broken(isStranger)).toEqual([]);
  });

  it('stays where they were, and is asked again what they were asked', () => {
    const isMoved = (step: Step) =>
      step.event.type === 'reminder.due' &&
      (moves(step) ||
        step.after.context.path !== step.before.context.path ||
        (step.replies.length > 0 && asked(step.before).fact !== undefined && !isLastSaid(step.replies, step.after)));
    expect(broken(isMoved)).toEqual([]);
  });
});

describe('every revocation', () => {
  it('is requested on nothing but a yes to the confirmation of that very card', () => {
    const unasked = ({ before, event }: Step, { card }: Revocation) =>
      event.type !== 'yes' || restingState(before) !== 'lost-card/confirming' || card !== before.context.proposal?.card;
    expect(today.steps.flatMap(revocations).length).toBeGreaterThan(0);
    expect(broken((step) => revocations(step).some((each) => unasked(step, each)))).toEqual([]);
  });

  it('has its card named in the last thing said before that yes', () => {
    const isNamed = ({ after, replies }: Step) => {
      const last = replies.at(-1);
      return (
        last?.line === 'lost-card/confirming' &&
        JSON.stringify(last.facts.card) === JSON.stringify({ text: proposedCard(after.context)?.ending })
      );
    };
    // What is written to a human is no answer to the bot, and it asks anew when it is back.
    const asks = (step: Step) =>
      restsIn(step, 'lost-card/confirming') && step.replies.length > 0 && !step.handsOver?.isNow;
    expect(broken((step) => asks(step) && !isNamed(step))).toEqual([]);
  });

  it('is of a card in use here, belonging to the person who was proved a short while ago', () => {
    const isTheirs = ({ before: { context }, event }: Step, { person, card }: Revocation) =>
      context.identity?.person === person &&
      context.cards.some(({ id, issuer, state }) => id === card && issuer === 'stockholm' && state !== 'REVOKED') &&
      Date.parse(event.at) - Date.parse(context.identity.provedAt) < 15 * 60_000;
    expect(broken((step) => revocations(step).some((each) => !isTheirs(step, each)))).toEqual([]);
  });

  it('rests on nothing but what the world has reported of that person', () => {
    const learnsIdentity = learns(({ identity }) => identity?.person);
    const learnsCards = learns(({ cards }) => cards[0]);
    const isReported = ({ before, event }: Step) =>
      event.type === 'ledger.cardsFound' && event.person === before.context.identity?.person;
    expect(broken((step) => learnsIdentity(step) && step.event.type !== 'identity.verified')).toEqual([]);
    expect(broken((step) => learnsCards(step) && !isReported(step))).toEqual([]);
  });

  it('has one reference for each card and reason, however often it is requested', () => {
    const requested = today.steps.flatMap(revocations);
    const errands = new Set(requested.map(({ card, reason }) => `${card} ${reason}`));
    const references = new Set(requested.map(({ card, reason, reference }) => `${card} ${reason} ${reference}`));
    expect(references.size).toBe(errands.size);
  });

  it('is called done by nobody but the ledger', () => {
    const given = ({ before, event }: Step) =>
      event.type === 'ledger.revoked' ? event.receipt : before.context.receipt;
    const isUnfounded = (step: Step) =>
      step.replies.some(
        ({ line, facts }) =>
          line === 'lost-card/revoked' &&
          JSON.stringify(facts.receipt) !== JSON.stringify({ text: given(step)?.number }),
      );
    const learnsReceipt = learns(({ receipt }) => receipt);
    const fromLedger = ({ event: { type } }: Step) => type === 'ledger.revoked' || type === 'ledger.cardsFound';
    expect(broken((step) => learnsReceipt(step) && !fromLedger(step))).toEqual([]);
    expect(broken(isUnfounded)).toEqual([]);
  });

  it('is never denied while its outcome is unknown', () => {
    const denials = ['lost-card/notSent', 'lost-card/kept', 'lost-card/ledgerIsDown', 'lost-card/refused'];
    const isUnknown = ({ event }: Step) => event.type === 'ledger.unanswered' && event.request === 'ledger.revoke';
    expect(broken((step) => isUnknown(step) && denials.some((line) => says(step, line)))).toEqual([]);
  });

  it('is told of, however it went, wherever the talk has gone', () => {
    const isTold = (step: Step) => {
      const { event } = step;
      if (event.type === 'ledger.revoked') {
        return says(step, step.before.context.identity ? 'lost-card/revoked' : 'lost-card/revokedMeanwhile');
      }
      if (event.type === 'ledger.refused') return says(step, 'lost-card/refused');
      if (!('request' in event) || event.request !== 'ledger.revoke') return true;
      return says(step, event.type === 'ledger.unreachable' ? 'lost-card/notSent' : 'lost-card/uncertain');
    };
    expect(broken((step) => !isTold(step))).toEqual([]);
  });

  it('never follows from a card that is locked after wrong codes', () => {
    const fromLock = today.steps.filter(({ before }) => restsIn({ after: before }, 'pin-trouble/'));
    expect(fromLock.filter(({ event, requests }) => event.type === 'told' && requests.length > 0)).toEqual([]);
  });

  it('leaves nothing personal to be said to anybody who is not proved', () => {
    const personal = ['card', 'receipt', 'revokedCard'];
    const isTooEarly = ({ after, replies }: Step) =>
      after.context.identity === undefined && replies.some(({ facts }) => personal.some((fact) => fact in facts));
    expect(broken(isTooEarly)).toEqual([]);
  });
});

/** A wish that waits, heard while another path is open. */
const isKept = ({ before, event }: Step): boolean =>
  'waits' in event && before.context.path !== undefined && before.context.path !== 'renewal';

/** The steps of a walk by the type of their event, for promises that are of one. */
function stepsOf(walk: Walk): ReadonlyMap<string, Step[]> {
  const known = sorted.get(walk);
  if (known) return known;
  const byType = new Map<string, Step[]>();
  for (const step of walk.steps) {
    const same = byType.get(step.event.type);
    if (same) same.push(step);
    else byType.set(step.event.type, [step]);
  }
  sorted.set(walk, byType);
  return byType;
}
const sorted = new Map<Walk, ReadonlyMap<string, Step[]>>();

const broken = (isWrong: Judgement): string[] => brokenAmong(({ steps }) => steps, isWrong);
const brokenBy = (type: string, isWrong: Judgement): string[] =>
  brokenAmong((walk) => stepsOf(walk).get(type) ?? [], isWrong);

/** The shortest walks to the steps that should not have been possible. */
function brokenAmong(stepsIn: (walk: Walk) => readonly Step[], isWrong: Judgement): string[] {
  return walks.flatMap((walk) =>
    stepsIn(walk)
      .filter(isWrong)
      .slice(0, 3)
      .map((step) => `${walk.day}: ${step.wayTo()}`),
  );
}

/** Later than a proof lasts. */
const isHeardMuchLater = (event: Event): boolean => isHeard(event) && event.at.slice(11) > '08:30';

const isHeard = ({ type }: Event): boolean => !/^(ledger|identity|reminder)\./.test(type);

const linesOf = (replies: Step['replies']): string[] => replies.map(({ line }) => line);

const heardIn = new Set(today.steps.map(({ before, event }) => `${restingState(before)} ${event.type}`));
const hears = (place: string, type: string): boolean =>
  heardIn.has(`${place} ${type}`) || !today.rests.some((rest) => restingState(rest) === place);

/** The wish was answered at once, in the middle of another path, which then went on. */
function inPassing({ before, after, replies }: Step, intent: string): boolean {
  const { path } = beginnings[intent as keyof typeof beginnings];
  const isAnswered = replies.some(({ line }) => line.startsWith(`${path}/`));
  return isAnswered && before.context.path !== undefined && restsIn({ after }, `${before.context.path}/`);
}

function isFounded(name: string, day: Day): boolean {
  const line = content.lines.get(name);
  if (!line) return false;
  if (line.uncited !== undefined) return true;
  const rules = line.cites.map((id) => content.rules.get(id));
  return (
    rules.length > 0 && rules.every((rule) => rule && (line.history || rule.until === undefined || day <= rule.until))
  );
}

const alone = Object.fromEntries(Object.values(beginnings).map(({ path }) => [path, true]));

/** How many questions of a path are asked in a row, if none of its facts is known and each answer is one there is. */
function longestQuestioning(path: PathName): number {
  const moment = momentAt(`${TODAY}T08:00:00+01:00`);
  const [intent] = Object.entries(beginnings).filter(([, each]) => each.path === path && !('at' in each));
  const [start] = today.rests;
  if (!intent || !start) return 0;
  const count = (turn: ReturnType<typeof turnFrom>, rest: Step['before']): number => {
    const fact = asked(rest).fact;
    if (!turn.state.startsWith(`${path}/`) || fact === undefined || fact === 'confirmation') return 0;
    return 1 + Math.max(0, ...answersTo(fact, moment).map((event) => deeper(rest, event)));
  };
  const deeper = (rest: Step['before'], event: Event): number => {
    const turn = turnFrom(rest, [event]);
    const after = restAfter(turn);
    return restingState(after) === restingState(rest) ? 0 : count(turn, after);
  };
  return deeper(start, { ...moment, type: `intent.${intent[0] as keyof typeof beginnings}` });
}

function revocations({ requests }: Step): Revocation[] {
  return requests.filter((each) => each.request === 'ledger.revoke');
}

function learns(known: (context: Context) => unknown) {
  return ({ before, after }: Step) =>
    known(after.context) !== undefined && known(after.context) !== known(before.context);
}

function says({ replies }: Step, line: string): boolean {
  return replies.some((reply) => reply.line === line);
}

const proposedCard = ({ cards, proposal }: Context) => cards.find(({ id }) => id === proposal?.card);

function restsIn({ after }: Pick<Step, 'after'>, place: string): boolean {
  return restingState(after).startsWith(place);
}

function moves({ before, after }: Pick<Step, 'before' | 'after'>): boolean {
  return restingState(before) !== restingState(after);
}

function isLastSaid(replies: Step['replies'], rest: Step['after']): boolean {
  return replies.at(-1)?.line === restingState(rest);
}
