/**
 * Students and agents at once, at two processes of the product, one or the
 * other of which is killed, and leases that end: that there is one speaker at
 * a time, and that whatever is written is answered, or seen to wait.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { Client } from 'pg';
import { content, readUnderstanding } from '../product.ts';
import { copyBuild, isLong, type Product, startProduct } from './built-product.ts';
import { type Chance, createChance } from './chance.ts';
import { startDatabaseServer, untilQuiet, withClient } from './database-server.ts';
import { type Chat, noCounts, openChat } from './direct-line-chat.ts';
import { plain } from './script.ts';
import { type Answer, casesIn, fileIn, outcomeIn, type Session, signInAtDesk } from './servicedesk-agent.ts';
import { findTwoSpeakers, type SaidByAgent } from './servicedesk-checker.ts';
import { noticesIn, questionsIn } from './servicedesk-script.ts';
import { setStage } from './stage.ts';

/** `students` of each process, so many `messages` of each, and how many times a process is killed. */
const scale = isLong
  ? { seed: 20_220_504, students: 40, messages: 40, kills: 20 }
  : { seed: 20_220_504, students: 5, messages: 9, kills: 3 };
const PROCESSES = 2;
const WHO = ['agent-anna', 'agent-bashir', 'agent-and-editor-disa'];
/** In milliseconds. */
const PATIENCE = isLong ? 1_800_000 : 240_000;
const QUIETENING = 60_000;
const BETWEEN_KILLS = 1_200;
const BETWEEN_LAPSES = 700;

const questions = questionsIn(content, readUnderstanding());
const notices = noticesIn(content);

const { server, begin } = setStage(startDatabaseServer, PATIENCE);

type Tally = Record<'claimed' | 'taken' | 'said' | 'again' | 'released' | 'handedBack' | 'closed' | 'notYours', number>;

/** Somebody at the desk, who does what there is to do until there is nothing, and goes. */
type AgentAtWork = Session & { id: string; name: string; said: Map<string, SaidByAgent[]> };

describe('the servicedesk', () => {
  it(
    'has one speaker in every conversation, and loses nothing, when processes are killed',
    async () => {
      const url = await server().create();
      const environment = () => ({ DATABASE_URL: url });
      const manner = { command: ['serve'], name: 'desk', count: PROCESSES, environment };
      const struck = await begin(startProduct(copyBuild(server().folder), manner));
      const found = await withClient(url, (rows) => strike(struck, rows));
      if (found.violations.length > 0) process.stderr.write(`${struck.logged().slice(0, 20).join('\n')}\n`);
      expect(found.violations).toEqual([]);
      expect(found.kills).toBe(scale.kills);
      // Whatever can happen to a case has happened to some.
      expect(Object.entries(found.tally).filter(([, count]) => count === 0)).toEqual([]);
    },
    PATIENCE,
  );
});

async function strike(
  struck: Product,
  rows: Client,
): Promise<{ violations: string[]; kills: number; tally: Omit<Tally, 'again' | 'notYours' | 'released'> }> {
  const { origins } = struck;
  const begun = performance.now();
  const tally: Tally = { claimed: 0, taken: 0, said: 0, again: 0, released: 0, handedBack: 0, closed: 0, notYours: 0 };
  const counts = noCounts();
  const avoided = new Map<string, number>();
  const agents: AgentAtWork[] = [];
  for (const who of WHO) agents.push({ ...(await signInAtDesk(origins[0] ?? '', who)), said: new Map() });

  // Said to be any, for it is set where the compiler does not look.
  let isWriting = true as boolean;
  const students = origins.flatMap((home, process) =>
    Array.from({ length: scale.students }, async (_, index): Promise<Chat> => {
      const nth = process * scale.students + index;
      const chance = createChance(scale.seed + nth);
      const patience = PATIENCE;
      const world = { origins, chance, counts, avoided, patience, onAcknowledged: () => undefined };
      const chat = await openChat(`s${nth}`, home, world);
      await converse(chat, chance);
      return chat;
    }),
  );

  const atWork = agents.map((agent, nth) =>
    work(agent, { origins, chance: createChance(scale.seed - nth - 1), tally, isOver: () => !isWriting }),
  );

  let kills = 0;
  const killing = (async () => {
    const chance = createChance(scale.seed);
    for (; kills < scale.kills; kills++) {
      await wait(BETWEEN_KILLS / 2 + chance.below(BETWEEN_KILLS));
      const victim = chance.below(PROCESSES);
      await struck.kill(victim);
      await struck.restart(victim);
    }
  })();

  /** As an agent who has not been seen: how far the log had come each time. */
  const lapses = new Map<string, number[]>();
  const lapsing = (async () => {
    while (isWriting) {
      await wait(BETWEEN_LAPSES);
      const { rows: ended } = await rows.query<{ id: string; last_seq: number }>(
        `update conversations set lease_until = now() - interval '1 second'
          where id in (select id from conversations where speaker = 'agent' order by random() limit 1)
          and speaker = 'agent' returning id, last_seq`,
      );
      for (const { id, last_seq } of ended) lapses.set(id, [...(lapses.get(id) ?? []), last_seq]);
    }
  })();

  const chats = await Promise.all(students);
  await killing;
  isWriting = false;
  await lapsing;
  await Promise.all(atWork);
  const undone = await untilQuiet(rows, QUIETENING);
  await Promise.all(chats.map((chat) => chat.look()));
  for (const agent of agents) agent.close();

  const caseIds = await rows.query<{ id: string; conversation: string }>('select id, conversation from cases');
  const names = new Map(agents.map(({ name, id }) => [name, id]));
  const violations = [...undone];
  for (const { testimony } of chats) {
    const { conversation } = testimony;
    const theirs = caseIds.rows.filter((each) => each.conversation === conversation);
    const said = agents.flatMap((agent) => theirs.flatMap(({ id }) => agent.said.get(id) ?? []));
    const witness = { conversation, agents: names, said, questions, lapses: lapses.get(conversation) ?? [] };
    const read = async (text: string, values: readonly unknown[]) => (await rows.query<object>(text, [...values])).rows;
    const wrong = [...(await findTwoSpeakers(read, notices, witness, true)), ...(await notAsSeen(rows, testimony))];
    violations.push(...wrong.map((each) => `${conversation}: ${each}`), ...testimony.complaints);
  }
  const seconds = Math.round((performance.now() - begun) / 1_000);
  const lapsed = [...lapses.values()].flat().length;
  const figures = Object.entries({ ...counts, ...tally, lapsed, kills, seconds, violations: violations.length });
  process.stderr.write(`servicedesk: ${figures.map(([what, count]) => `${count} ${what}`).join(', ')}\n`);
  const { again: _, notYours: __, released: ___, ...certain } = tally;
  return { violations, kills, tally: certain };
}

/** Asks, wants a human, takes it back, sends again: whatever, and hardly waits for an answer. */
async function converse(chat: Chat, chance: Chance): Promise<void> {
  const unasked = [...questions.keys()];
  for (let nth = 0; nth < scale.messages; nth++) {
    const isAsking = nth !== 1 && chance.happens(0.6) && unasked.length > 0;
    const [question = 'hej'] = isAsking ? unasked.splice(chance.below(unasked.length), 1) : [];
    const text = isAsking ? question : nth === 1 || chance.happens(0.7) ? 'människa' : 'avbryt';
    const [sent] = await chat.write([plain(text)]);
    if (sent && chance.happens(0.2)) await chat.resend(sent, chance.happens(0.5) ? 'a new id' : 'the same id');
    await wait(chance.below(900));
    await chat.look();
  }
}

type Work = { origins: readonly string[]; chance: Chance; tally: Tally; isOver: () => boolean };

async function work(agent: AgentAtWork, { origins, chance, tally, isOver }: Work): Promise<void> {
  /** Until somebody answers, the same again. */
  const insist = async (method: 'GET' | 'POST', path: string, body?: object): Promise<NonNullable<Answer>> => {
    for (const end = Date.now() + PATIENCE; Date.now() < end;) {
      const answer = await agent.ask(chance.oneOf(origins), method, path, body);
      if (answer) return answer;
      tally.again += 1;
      await wait(40);
    }
    throw new Error(`${agent.name}: nobody answered ${method} ${path}`);
  };
  const count = (outcome: string) => {
    if (outcome in tally) tally[outcome as keyof Tally] += 1;
  };

  const say = async (id: string, seen: number): Promise<void> => {
    const all = agent.said.get(id) ?? [];
    const mine: SaidByAgent = { agent: agent.id, key: `${agent.name}-${id}-${all.length}`, seen, told: undefined };
    agent.said.set(id, [...all, mine]);
    const tries = tally.again;
    const { told } = await insist('POST', `/cases/${id}/say`, { key: mine.key, text: `Svar ${mine.key}`, seen });
    const outcome = outcomeIn(told);
    // It may have been said at the first try, and the case another's when it was sent again.
    const isSure = outcome === 'said' || tally.again === tries;
    if (isSure) mine.told = outcome === 'said' ? 'said' : 'notYours';
    count(outcome);
  };

  for (;;) {
    const { told } = await insist('GET', '/queue');
    const cases = casesIn(told);
    const mine = cases.filter((each) => each.agent?.id === agent.id);
    const open = cases.filter((each) => each.state !== 'claimed');
    if (isOver() && mine.length === 0 && open.length === 0) return;
    // Whatever can happen is what is tried until it has happened once; then chance decides.
    const [next] = tally.taken === 0 ? cases.filter((each) => each.agent?.id !== agent.id).reverse() : open;
    if (next && mine.length < 2) {
      const { told } = await insist('POST', `/cases/${next.id}/claim`, {});
      count(outcomeIn(told));
    }
    for (const { id } of mine) {
      const { status, told } = await insist('GET', `/cases/${id}`);
      if (status !== 200) continue;
      const file = fileIn(told);
      const isSaying = chance.happens(0.6) || tally.said === 0;
      if (file.case.unanswered > 0 && isSaying) await say(id, file.seen);
      else {
        const [untried] = [
          ...(tally.closed === 0 ? ['close' as const] : []),
          ...(tally.handedBack === 0 ? ['onto' as const] : []),
        ];
        const byChance = chance.oneOf(['hand-back', 'onto', 'close', 'release', 'wait'] as const);
        const way = untried ?? (isOver() ? 'hand-back' : byChance);
        const sent = { 'hand-back': {}, onto: ONTO, close: { outcome: 'resolved' }, release: {}, wait: {} }[way];
        if (way === 'wait') continue;
        const { told } = await insist('POST', `/cases/${id}/${way === 'onto' ? 'hand-back' : way}`, sent);
        count(outcomeIn(told));
      }
    }
    await wait(60 + chance.below(120));
  }
}

const ONTO = { path: 'pickup-ready', known: { cardReady: true, photographed: true, photoSite: 'sodersjukhuset' } };

/** What a student has written and seen, compared with the log: all of it, once each, in order. */
async function notAsSeen(rows: Client, { conversation, sent, seen }: Chat['testimony']): Promise<string[]> {
  const { rows: log } = await rows.query<{ seq: number; author: string; text: string | null; id: string | null }>(
    `select seq, author, said ->> 'text' as text, id from messages
      where conversation = $1 and kind = 'message' order by seq`,
    [conversation],
  );
  const kept = new Map(log.map((each) => [each.seq, each]));
  const violations: string[] = [];
  for (const { text, ids, places } of sent) {
    const [place = 0] = places;
    if (new Set(places).size !== 1) violations.push(`“${text}” is at ${places.join()}`);
    if (!ids.some((id) => kept.get(place)?.id?.endsWith(id))) violations.push(`${place} is not “${text}”`);
  }
  const written = log.filter(({ author }) => author === 'student').length;
  if (written !== sent.length) violations.push(`${sent.length} were written, and ${written} kept`);
  const shown = seen.map(({ seq }) => seq);
  if (shown.join() !== log.map(({ seq }) => seq).join()) violations.push(`seen were ${shown.join()}`);
  for (const { seq, author, text } of seen) {
    const entry = kept.get(seq);
    if ((entry?.author === 'student') !== (author === 'student')) violations.push(`${seq} seems to be by another`);
    // What a reply cites is added to its text.
    if (author !== 'student' && !text.startsWith(entry?.text ?? '\0')) violations.push(`${seq} was seen as “${text}”`);
  }
  return violations;
}
