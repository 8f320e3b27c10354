/**
 * The agents' page, and what it asks for: the queue as it changes, a case
 * whole, and everything an agent does with one.
 *
 * Every address needs somebody who is signed in as an agent. What changes
 * anything is taken from our own pages only, as JSON, which no form of another
 * page can send. What is answered belongs to whoever asked, and is kept by no
 * cache.
 *
 * Pages that are open hear of changes over a stream. However many there are,
 * the queue is read once for all of them in a tenth of a second.
 */
import type { Request, Response, Server } from 'restify';
import { z } from 'zod';
import { dayOf } from '../../dialogs/vocabulary.ts';
import { instantOf } from '../calendar.ts';
import { newcomer, placeOf } from '../channels/direct-line/direct-line.ts';
import type { Content } from '../content.ts';
import { isFromOurPage } from '../web/requests.ts';
import { WAYS } from './audit.ts';
import type { CardDesk } from './cards.ts';
import { type Agent, CaseId, type Desk, LONGEST_ANSWER } from './desk.ts';
import { HandBack } from './hand-back.ts';
import { mountPage } from './page.tsx';
import type { Sessions } from './sessions.ts';
import { cardShown, createSpeaker, queueShown } from './showing.ts';
import { type Done, type Opened, OUTCOMES, REVOCATIONS } from './shown.ts';
import { createStreams } from './streams.ts';

export type ServicedeskWorld = {
  desk: Desk;
  sessions: Pick<Sessions, 'memberOf'>;
  cards: CardDesk;
  content: Content;
  /** The folder with the scripts of our pages. */
  scripts: string;
  /** Where browsers reach us. It is known once we listen. */
  publicOrigin: () => string;
  /** Where a student comes into a conversation that was opened for them. Without it, the conversation is named. */
  linkTo?: (conversation: string) => Promise<string>;
  now: () => Date;
  onMistake: (mistake: unknown) => void;
};

/** How long it is remembered that an agent was seen, in milliseconds: much shorter than a lease. */
const SEEN_LASTS = 5_000;

const Key = z.string().min(1).max(100);
const Nothing = z.strictObject({});
const Message = z.strictObject({
  key: Key,
  text: z.string().trim().min(1).max(LONGEST_ANSWER),
  seen: z.int().min(0),
  cites: z.array(z.string()).max(50).exactOptional(),
});
const Closing = z.strictObject({ outcome: z.enum(OUTCOMES) });
const Confirming = z.strictObject({
  identifier: z.string().trim().min(1).max(200),
  way: z.enum(WAYS),
  note: z.string().trim().max(200).exactOptional(),
  case: CaseId.exactOptional(),
});
const Revoking = z.strictObject({ confirmation: Key, card: Key, reason: z.enum(REVOCATIONS) });

type Answer = { status: number; body: object };
const ok = (body: object): Answer => ({ status: 200, body });
const done = (body: Done): Answer => ({ status: body.outcome === 'gone' ? 404 : 200, body });
/** Somebody else was first, or it has to be tried again. */
const hindered = (body: Done): Answer => ({ status: 409, body });

const refusals = {
  Unauthorized: [401, 'Sign in as an agent.'],
  Forbidden: [403, 'This is for agents, on their own page.'],
  UnsupportedMediaType: [415, 'This is sent as JSON.'],
  BadRequest: [400, 'The request cannot be read.'],
  NotFound: [404, 'There is no such case, or it is closed.'],
} as const;
const refuse = (res: Response, code: keyof typeof refusals): void => {
  const [status, message] = refusals[code];
  send(res, { status, body: { error: { code, message } } });
};

function send(res: Response, { status, body }: Answer): void {
  res.send(status, body);
}

/** `close` ends the streams of the pages that are open, so that a stop need not wait for them. */
export async function mountServicedesk(server: Server, world: ServicedeskWorld): Promise<{ close: () => void }> {
  const { desk, sessions, cards, content, publicOrigin, linkTo, now, onMistake } = world;
  const speaker = createSpeaker(content);
  const streams = createStreams({ desk, show: (queue) => queueShown(queue, now(), speaker), onMistake });

  const seen = new Set<string>();
  /** Whoever asks for anything is there, and keeps what they have. */
  const isSeen = (agent: Agent): void => {
    if (seen.has(agent.id)) return;
    seen.add(agent.id);
    setTimeout(() => seen.delete(agent.id), SEEN_LASTS).unref();
    desk.renew(agent).catch(onMistake);
  };

  /** What a page asks for by itself is `watching`, and keeps no session alive. */
  const agentOf = async (req: Request, res: Response, how: 'acting' | 'watching'): Promise<Agent | undefined> => {
    const member = await sessions.memberOf(req, how);
    if (!member?.roles.includes('agent')) {
      refuse(res, member ? 'Forbidden' : 'Unauthorized');
      return undefined;
    }
    const agent = { id: member.id, name: member.name };
    isSeen(agent);
    return agent;
  };

  const caseOf = (req: Request): string | undefined =>
    CaseId.safeParse((req.params as Record<string, unknown>).id).data;

  const post = <Shape extends z.ZodType>(
    path: string,
    shape: Shape,
    act: (agent: Agent, sent: z.output<Shape>, id: string) => Promise<Answer>,
    how: 'acting' | 'watching' = 'acting',
  ) => {
    server.post(`/servicedesk/${path}`, async (req: Request, res: Response) => {
      const agent = await agentOf(req, res, how);
      if (!agent) return;
      if (!isFromOurPage(req, publicOrigin())) {
        refuse(res, 'Forbidden');
        return;
      }
      if (!/^application\/json\b/i.test(req.headers['content-type'] ?? '')) {
        refuse(res, 'UnsupportedMediaType');
        return;
      }
      const sent = shape.safeParse(req.body);
      const id = path.includes(':id') ? caseOf(req) : '';
      if (!sent.success) refuse(res, 'BadRequest');
      else if (id === undefined) refuse(res, 'NotFound');
      else send(res, await act(agent, sent.data, id));
    });
  };

  /** What somebody is told who has not, or no longer, got the case. */
  const notYours = async (id: string, agent: Agent): Promise<Answer> => {
    const file = await desk.file(id, agent);
    if (!file) return done({ outcome: 'gone' });
    return hindered({ outcome: 'notYours', ...(file.agent && { by: file.agent.name }) });
  };
  const asTheirs = async (id: string, agent: Agent, outcome: string): Promise<Answer> =>
    outcome === 'notYours' ? notYours(id, agent) : ok({ outcome });

  await mountPage(server, { content, scripts: world.scripts, sessions, now, isSeen });

  server.get('/servicedesk/queue', async (req: Request, res: Response) => {
    if (!(await agentOf(req, res, 'watching'))) return;
    res.header('Content-Type', 'application/json; charset=utf-8');
    res.sendRaw(200, await streams.queue());
  });

  server.get('/servicedesk/events', async (req: Request, res: Response) => {
    const agent = await agentOf(req, res, 'watching');
    if (!agent) return;
    await streams.open(res, async () => {
      const member = await sessions.memberOf(req, 'watching');
      return member?.roles.includes('agent') ?? false;
    });
  });

  server.get('/servicedesk/cases/:id', async (req: Request, res: Response) => {
    const agent = await agentOf(req, res, 'watching');
    if (!agent) return;
    const id = caseOf(req);
    const file = id === undefined ? undefined : await desk.file(id, agent);
    if (file) send(res, ok(speaker.file(file)));
    else refuse(res, 'NotFound');
  });

  post('seen', Nothing, async () => Promise.resolve(ok({ outcome: 'seen' })), 'watching');

  post('cases', Nothing, async (agent) => {
    const { conversation } = newcomer();
    const place = placeOf(conversation);
    const { id } = await desk.openFor(agent, place);
    return ok({ id, link: linkTo ? await linkTo(place.conversation) : conversation } satisfies Opened);
  });

  post('cases/:id/claim', Nothing, async (agent, _, id) => {
    const outcome = await desk.claim(id, agent);
    if (outcome === 'taken') {
      const file = await desk.file(id, agent);
      return hindered({ outcome, ...(file?.agent && { by: file.agent.name }) });
    }
    return outcome === 'busy' ? hindered({ outcome }) : done({ outcome });
  });

  post('cases/:id/say', Message, async (agent, message, id) => {
    if (message.cites?.some((cited) => !content.rules.has(cited)))
      return { status: 400, body: { outcome: 'unknownRule' } };
    return asTheirs(id, agent, await desk.say(id, agent, message));
  });

  post('cases/:id/release', Nothing, async (agent, _, id) => asTheirs(id, agent, await desk.release(id, agent)));

  post('cases/:id/close', Closing, async (agent, { outcome }, id) =>
    asTheirs(id, agent, await desk.close(id, agent, outcome)),
  );

  // The payload is the same wherever it comes from, but whose hand it is, is not theirs to say.
  post('cases/:id/hand-back', z.record(z.string(), z.unknown()), async (agent, sent, id) => {
    const read = HandBack.safeParse({ ...sent, agent: agent.id });
    if (!read.success || 'agent' in sent) return { status: 400, body: { outcome: 'unreadable' } };
    const { agent: _, ...onto } = read.data;
    return asTheirs(id, agent, await desk.handBack(id, agent, onto));
  });

  post('cards/confirm', Confirming, async (agent, confirming) => {
    const confirmed = await cards.confirm(agent, confirming);
    if (confirmed.outcome !== 'confirmed')
      return { status: confirmed.outcome === 'malformed' ? 422 : 503, body: confirmed };
    const today = dayOf({ at: instantOf(now()) });
    return ok({ ...confirmed, cards: confirmed.cards.map((card) => cardShown(card, today)) });
  });

  post('cards/revoke', Revoking, async (agent, revoking) => {
    const revoked = await cards.revoke(agent, revoking);
    const status = { revoked: 200, refused: 409, expired: 410, unreachable: 503, unanswered: 504 }[revoked.outcome];
    if (revoked.outcome !== 'revoked') return { status, body: revoked };
    const { number, at } = revoked.receipt;
    return ok({ outcome: 'revoked', receipt: { number, at } });
  });

  return { close: streams.close };
}
