/**
 * Whether a conversation has had one speaker at a time, as its rows tell.
 *
 * Nothing of the product is asked. The log is read from its beginning, entry by
 * entry: who speaks there is told by what was said before, and whoever says
 * something else than their turn is found. What the log tells is then compared
 * with the row that the product goes by, and with what agents themselves know
 * of having said.
 */
import { z } from 'zod';

/** Reads rows, in whichever way. */
export type Rows = (text: string, values: readonly unknown[]) => Promise<unknown[]>;

/** What an agent has sent, and what they were told: nothing, if nobody answered. */
export type SaidByAgent = { agent: string; key: string; seen: number; told: 'said' | 'notYours' | undefined };

export type Witness = {
  conversation: string;
  /** Ids of those who work at the desk, by the names they are announced by. */
  agents: ReadonlyMap<string, string>;
  /** What agents have sent there. */
  said: readonly SaidByAgent[];
  /** What was asked, once each, and the line that only an answer to it has. */
  questions: ReadonlyMap<string, string>;
  /** How far the log had come each time that a lease had ended. Nothing, where that is not known. */
  lapses?: readonly number[];
};

/** The words of the desk's notices, by what each one tells. `{{agent}}` is a name. */
export type Notices = Record<'claimed' | 'released' | 'lapsed' | 'opened', string>;

const Entry = z.object({
  seq: z.number(),
  author: z.enum(['student', 'bot', 'agent', 'desk']),
  kind: z.enum(['message', 'event']),
  id: z.string().nullable(),
  said: z.object({
    text: z.string().optional(),
    line: z.string().optional(),
    clears: z.boolean().optional(),
    agent: z.object({ id: z.string() }).optional(),
  }),
  turn: z.number().nullable(),
  answers: z.number().nullable(),
});
type Entry = z.infer<typeof Entry>;

const Kept = z.object({
  speaker: z.enum(['bot', 'queue', 'agent']),
  agent: z.string().nullable(),
  open_case: z.string().nullable(),
  last_seq: z.number(),
  answered_seq: z.number(),
  tended_seq: z.number(),
  waiting: z.number(),
  log: z.array(Entry).nullable(),
  cases: z.array(z.object({ id: z.string(), closed_at: z.string().nullable() })).nullable(),
});

const KEPT = `select c.speaker, c.agent ->> 'id' as agent, c.open_case, c.last_seq, c.answered_seq, c.tended_seq, c.waiting,
    (select json_agg(m order by m.seq) from messages m where m.conversation = c.id) as log,
    (select json_agg(k) from cases k where k.conversation = c.id) as cases
  from conversations c where c.id = $1`;

/** `queue` and `bot` are nobody's names. */
type Speaker = 'bot' | 'queue' | { agent: string };
/** A time in which humans had it: until where, and how it ended. */
type Keeping = { until: number; ended: 'not' | 'handedBack' | 'withdrawn' };

const LEAVING = /^(avbryt|glöm mig)$/;
const handingOver = 'conversation/handedOver';
const handingBack: readonly unknown[] = ['conversation/handedBack', 'conversation/caseIsClosed'];
const nameOf = (speaker: Speaker): string => (typeof speaker === 'string' ? speaker : speaker.agent);

/** `isOver`: whoever was to answer has had the time to. */
export async function findTwoSpeakers(
  rows: Rows,
  notices: Notices,
  { conversation, agents, said, questions, lapses }: Witness,
  isOver: boolean,
): Promise<string[]> {
  const violations: string[] = [];
  const [found] = await rows(KEPT, [conversation]);
  if (!found) return ['is gone'];
  const { log, cases, ...row } = Kept.parse(found);
  const entries = log ?? [];
  const students = entries.filter(({ author, kind }) => author === 'student' && kind === 'message');
  const isErased = entries[0]?.seq !== 1;
  const complain = (what: string) => violations.push(what);

  // Who speaks, by the log alone.
  // Said to be any, for it is set where the compiler does not look.
  let speaker = 'bot' as Speaker;
  let agentSince = 0;
  // At least and at most, for what was answered by silence leaves no entry.
  const tended = { least: 0, most: 0 };
  const tend = (least: number, most = least) => {
    tended.least = Math.max(tended.least, least);
    tended.most = Math.max(tended.most, most);
  };
  const keepings: Keeping[] = [];
  const begin = () => keepings.push({ until: Infinity, ended: 'not' });
  const end = (until: number, ended: Keeping['ended']) => {
    const [current] = keepings.slice(-1);
    if (current) Object.assign(current, { until, ended });
    speaker = 'bot';
  };
  const answeredBefore = (seq: number) =>
    Math.max(0, ...entries.flatMap((each) => (each.author === 'bot' && each.seq < seq ? (each.answers ?? []) : [])));

  const noticed = (entry: Entry) => {
    const { what, name } = readNotice(notices, entry.said.text ?? '') ?? complainOf(entry);
    if (what === 'claimed' || what === 'opened') {
      const by = agents.get(name) ?? `a stranger called ${name}`;
      if (typeof speaker !== 'string') {
        const hadLapsed = lapses?.some((at) => at >= agentSince && at < entry.seq) ?? true;
        if (!hadLapsed) complain(`${entry.seq} was taken by ${by}, from ${nameOf(speaker)}, who had it`);
      }
      if (speaker === 'bot') {
        begin();
        tend(answeredBefore(entry.seq), entry.seq);
      }
      speaker = { agent: by };
      agentSince = entry.seq;
    } else {
      if (typeof speaker === 'string') complain(`${entry.seq} goes back to the queue from ${speaker}`);
      speaker = 'queue';
    }
  };
  const complainOf = (entry: Entry): { what: string; name: string } => {
    complain(`${entry.seq} is a notice that nobody knows: ${entry.said.text ?? ''}`);
    return { what: '', name: '' };
  };

  let ownTurn: number | null = null;
  for (const entry of entries) {
    const { seq, author, answers, turn, said: words } = entry;
    if (author === 'desk') noticed(entry);
    if (author === 'agent') {
      const id = words.agent?.id ?? 'nobody';
      if (nameOf(speaker) !== id) complain(`${seq} is said by ${id}, where ${nameOf(speaker)} speaks`);
      agentSince = seq;
      const sent = said.find((each) => entry.id === `${each.agent} ${each.key}`);
      if (!sent) complain(`${seq} is said by ${id}, who knows nothing of it`);
      tend(Math.min(sent?.seen ?? 0, seq - 1));
    }
    if (author !== 'bot') continue;
    const isHandingBack = handingBack.includes(words.line);
    if (isHandingBack && turn !== ownTurn) {
      if (typeof speaker === 'string') complain(`${seq} is handed back by ${speaker}`);
      end(seq, 'handedBack');
    } else if (speaker !== 'bot' && turn !== ownTurn) {
      const asked = students.find((each) => each.seq === answers)?.said.text ?? '';
      // An agent may be asked to stop, too: that is for them to answer.
      if (LEAVING.test(asked) && (speaker === 'queue' || asked === 'glöm mig')) end(seq, 'withdrawn');
      else complain(`${seq} is said by the bot to "${asked}", where ${nameOf(speaker)} speaks`);
    }
    ownTurn = turn;
    if (words.line === handingOver) {
      if (speaker !== 'bot') complain(`${seq} hands over from ${nameOf(speaker)}`);
      speaker = 'queue';
      begin();
      tend(answers ?? answeredBefore(seq), answers ?? seq);
    }
  }

  // What the row says, that the product goes by.
  const told = row.speaker === 'agent' ? (row.agent ?? 'nobody') : row.speaker;
  if (told !== nameOf(speaker)) complain(`the row says that ${told} speaks, and the log ${nameOf(speaker)}`);
  const open = (cases ?? []).filter(({ closed_at }) => closed_at === null).map(({ id }) => id);
  if (open.join() !== (row.open_case ?? ''))
    complain(`open are the cases ${open.join() || 'none'}, and the row says ${row.open_case ?? 'none'}`);
  if (row.speaker !== 'bot' && row.open_case === null) complain('a human speaks in no case');
  const [last] = entries.slice(-1);
  if (last && last.seq !== row.last_seq) complain(`the log ends at ${last.seq}, and the row says ${row.last_seq}`);
  if (row.tended_seq > row.last_seq) complain(`${row.tended_seq} is tended, of ${row.last_seq}`);
  if (!isErased && (row.tended_seq < tended.least || row.tended_seq > tended.most))
    complain(`${row.tended_seq} is tended by the row, and ${tended.least} to ${tended.most} by the log`);
  const left = students.filter(({ seq }) => seq > row.answered_seq);
  if (left.length !== row.waiting) complain(`${left.length} messages wait, and the row says ${row.waiting}`);
  if (isOver && left.length > 0) complain(`${left.map(({ seq }) => seq).join()} wait for ever`);

  // What was written, and who has answered it.
  for (const message of students) violations.push(...unansweredOrTwice(message));

  function unansweredOrTwice({ seq, said: words }: Entry): string[] {
    const replies = entries.filter((each) => each.author === 'bot' && each.answers === seq);
    const turns = new Set(replies.map(({ turn }) => turn));
    if (turns.size > 1) return [`${seq} is answered in ${turns.size} turns`];
    const line = questions.get(words.text ?? '');
    const answers = line === undefined ? [] : entries.filter((each) => each.seq > seq && each.said.line === line);
    if (answers.length > 1) return [`${seq} is answered ${answers.length} times: ${words.text ?? ''}`];
    const byAgent = entries.find((each) => each.author === 'agent' && seenBy(each, said) >= seq && each.seq > seq);
    const [byBot] = answers;
    if (byBot && byAgent && byAgent.seq < byBot.seq) return [`${seq} is answered by the bot, after an agent had`];
    if (replies.length > 0 || seq > row.answered_seq || byAgent || byBot) return [];
    const keeping = keepings.find(({ until }) => until > seq);
    if (!keeping) return isErased ? [] : [`${seq} is neither answered nor anybody’s: ${words.text ?? ''}`];
    if (keeping.ended === 'handedBack' && line !== undefined)
      return [`${seq} came back to the bot without an answer: ${words.text ?? ''}`];
    return [];
  }

  // What agents know of having said.
  for (const { agent, key, told } of said) {
    const kept = entries.filter(({ id, author }) => author === 'agent' && id === `${agent} ${key}`).length;
    if (told === 'said' && kept !== 1 && !isErased) complain(`${key} was said by ${agent}, and is kept ${kept} times`);
    if (told === 'notYours' && kept > 0) complain(`${key} is kept, and ${agent} was told that it is not`);
  }
  return violations;
}

const seenBy = ({ id }: Entry, said: readonly SaidByAgent[]): number =>
  said.find((each) => id === `${each.agent} ${each.key}`)?.seen ?? 0;

function readNotice(notices: Notices, text: string): { what: string; name: string } | undefined {
  for (const [what, words] of Object.entries(notices)) {
    const [before = '', after] = words.split('{{agent}}');
    if (after === undefined ? text === before : text.startsWith(before) && text.endsWith(after))
      return { what, name: after === undefined ? '' : text.slice(before.length, text.length - after.length) };
  }
  return undefined;
}
