/**
 * The guided paths the assistant offers, and what begins each of them.
 *
 * A path's name is its state in the conversation and the folder in `content/`
 * where its lines are written.
 */
import { upgradeWindow } from './card-validity.ts';
import { cardStatus } from './card-status.ts';
import { forgetting } from './forgetting.ts';
import { type Beginning, beginnings, type PathName, passing } from './intents.ts';
import { lostCard } from './lost-card.ts';
import { malfunction } from './malfunction.ts';
import { newCard } from './new-card.ts';
import { order } from './order.ts';
import { photoAndPickup } from './photo-and-pickup.ts';
import { pinTrouble } from './pin-trouble.ts';
import { protectedIdentity } from './protected-identity.ts';
import { reminding } from './reminding.ts';
import { renewal } from './renewal.ts';
import { studiesEnded } from './studies-ended.ts';
import { supplementaryCertificate } from './supplementary-certificate.ts';
import { upgrade } from './upgrade.ts';
import { dayOf, type Known, type Now, type Office, say } from './vocabulary.ts';

export const guidedPaths = {
  'card-status': cardStatus,
  forgetting,
  'lost-card': lostCard,
  malfunction,
  'new-card': newCard,
  order,
  'photo-and-pickup': photoAndPickup,
  'pin-trouble': pinTrouble,
  'protected-identity': protectedIdentity,
  reminders: reminding,
  renewal,
  'studies-ended': studiesEnded,
  'supplementary-certificate': supplementaryCertificate,
  upgrade,
} satisfies Record<PathName, unknown>;

/** What is said of the wish itself, before its path asks or answers anything. The first that is true is said. */
const asides: Partial<Record<string, { guard: (now: Now) => boolean; line: string }[]>> = {
  'photo-where-when': ofAskedDay('booth', 'photo-and-pickup'),
  'upgrade-how': [{ guard: upgradeIsClosed, line: 'upgrade/howItWasDone' }],
  'upgrade-missed': [{ guard: upgradeIsClosed, line: 'upgrade/tooLate' }],
  'codes-exposed': [{ guard: () => true, line: 'lost-card/codesExposed' }],
  'details-wrong': [{ guard: () => true, line: 'lost-card/detailsWrong' }],
};

/** What each intent that has a path leads to, wherever the talk is. */
export const pathBeginnings = Object.fromEntries(
  Object.entries<Beginning>(beginnings).map(([intent, { path, at, told = {} }]) => {
    const learn = [
      { type: 'learn', params: told },
      { type: 'learn', params: ({ event }: { event: { told?: Known } }) => event.told ?? {} },
    ];
    const keep = [...learn, { type: 'keepForLater', params: path }, say('conversation/oneAtATime')];
    const target = ['.assisting', path, ...(at ? [at] : [])].join('.');
    const begin = [{ type: 'leavePathFor', params: path }, { type: 'forget', params: passing[path] ?? [] }, ...learn];
    const said = (asides[intent] ?? []).map(({ guard, line }) => ({ guard, target, actions: [...begin, say(line)] }));
    const waiting = { guard: (now: Now) => isToWait(now, path), actions: keep };
    return [`intent.${intent}`, [waiting, ...said, { target, actions: begin }]];
  }),
);

/** The way back to a path that was left in the middle: what it knows it does not ask again. */
export const waysBack = (Object.keys(guidedPaths) as PathName[]).map((path) => ({
  guard: ({ context }: Now) => context.left === path,
  target: `#${path}`,
  actions: { type: 'forgetWayBack' as const },
}));

/** What is said of an office on a day the student asks about, by what the calendar knows of that day (R24, R26, A16). */
export function ofAskedDay(office: Office, topic: string) {
  const slots = ({ event }: Now) => event.asked?.slots[office];
  return [
    { guard: (now: Now) => slots(now)?.some(({ confirmed }) => confirmed) ?? false, line: `${topic}/openThatDay` },
    { guard: (now: Now) => (slots(now)?.length ?? 0) > 0, line: `${topic}/unconfirmedThatDay` },
    { guard: (now: Now) => slots(now)?.length === 0, line: `${topic}/closedThatDay` },
  ];
}

/** A second wish waits while another path has its questions. */
function isToWait({ context, event }: Now, path: PathName): boolean {
  return 'waits' in event && context.path !== undefined && context.path !== path;
}

function upgradeIsClosed({ event }: Now): boolean {
  return upgradeWindow(dayOf(event)) === 'closed';
}
