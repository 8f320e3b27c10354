/**
 * The independent checker: are the rows what the students say, and what the
 * product promises?
 *
 * It reads rows and testimonies and nothing else. It knows neither the program
 * nor any channel, so that a mistake of theirs is not its own. It is to run when
 * nobody is at work on the rows.
 */
import type { Client } from 'pg';

/** A message as a student knows it: as it was written, and under which ids it was sent. */
export type Sent = {
  /** One is the first; any more are of the same message, sent again under a new id. */
  ids: string[];
  text: string;
  hasSecret: boolean;
  /** Every message of a round was acknowledged before any of the next was sent. */
  round: number;
  /** Where in the log it is, as it was acknowledged: once for every time it was. */
  places: number[];
};

/** An entry of the log as a student was shown it. */
export type Seen = { seq: number; author: string; id?: string | undefined; text: string };

/** What a student knows of one conversation. */
export type Testimony = {
  /** As it is named in the rows. */
  conversation: string;
  sent: Sent[];
  /** In the order it was seen. */
  seen: Seen[];
  /** Who the student has proved to be, or tried to. */
  signedInAs: string[];
  /** Whether the student said yes to a card that was read back. */
  saidYes: boolean;
  /** What the student would complain of: an answer that never came. */
  complaints: string[];
};

type Conversation = {
  id: string;
  turns: number;
  last_seq: number;
  answered_seq: number;
  replied_seq: number;
  waiting: number;
};
type Message = {
  conversation: string;
  seq: number;
  author: 'student' | 'bot';
  kind: string;
  id: string | null;
  text: string;
  turn: number | null;
  answers: number | null;
};
type Asked = {
  conversation: string;
  reference: string;
  name: string;
  person: string | null;
  card: string | null;
  state: string;
  attempts: number;
  made_in: number | null;
  closed_in: number | null;
};
type Revocation = { person: string; card: string; reference: string; receipt: string };

/** One conversation: what the rows tell of it, and what its student does. */
type Case = {
  testimony: Testimony;
  row: Conversation;
  /** By seq. */
  log: Message[];
  heard: Message[];
  said: Message[];
  requests: Asked[];
};

/** Everything that is wrong, in words. `secrets` are digits that must be nowhere. */
export async function findViolations(
  client: Client,
  testimonies: readonly Testimony[],
  secrets: readonly string[],
): Promise<string[]> {
  const conversations = byKey(await allOf<Conversation>(client, CONVERSATIONS), ({ id }) => id);
  const messages = groupedBy(await allOf<Message>(client, MESSAGES), ({ conversation }) => conversation);
  const requests = groupedBy(await allOf<Asked>(client, REQUESTS), ({ conversation }) => conversation);
  const revocations = await allOf<Revocation>(client, REVOCATIONS);

  const known = new Set(testimonies.map(({ conversation }) => conversation));
  const violations = [...conversations.keys()].filter((id) => !known.has(id)).map((id) => `${id}: nobody began it`);
  for (const testimony of testimonies) {
    const { conversation } = testimony;
    const row = conversations.get(conversation);
    if (!row) {
      violations.push(`${conversation}: it is not kept`);
      continue;
    }
    const log = messages.get(conversation) ?? [];
    const one: Case = {
      testimony,
      row,
      log,
      heard: log.filter(({ author, kind }) => author === 'student' && kind === 'message'),
      said: log.filter(({ author }) => author === 'bot'),
      requests: requests.get(conversation) ?? [],
    };
    const found = [
      ...testimony.complaints,
      ...keptOnce(one),
      ...answeredOnce(one),
      ...inOrder(one),
      ...welcomedOnce(one),
      ...seenAsKept(one),
      ...countedRight(one),
      ...finished(one),
      ...receiptsTold(one, revocations),
    ];
    violations.push(...found.map((each) => `${conversation}: ${each}`));
  }
  violations.push(...revokedOnce(revocations, [...requests.values()].flat()));
  violations.push(...(await keptSecrets(client, secrets)));
  return violations;
}

// What is promised, one by one

/** What was acknowledged has one row, where it was said to be, and holds what was written. */
function keptOnce({ testimony, heard }: Case): string[] {
  const found: string[] = [];
  const claimed = new Set<number>();
  for (const { ids, text, hasSecret, places } of testimony.sent) {
    const [name = ''] = ids;
    const rows = heard.filter(({ id }) => id !== null && ids.includes(id));
    for (const { seq } of rows) claimed.add(seq);
    if (places.length === 0) found.push(`message ${name} was never acknowledged`);
    else if (rows.length !== 1) found.push(`message ${name} was acknowledged, and is kept ${times(rows.length)}`);
    for (const { seq, text: kept } of rows.slice(0, 1)) {
      if (places.some((place) => place !== seq)) {
        found.push(`message ${name} is at ${seq}, and was said to be at ${[...new Set(places)].join(' and ')}`);
      }
      if (!hasSecret && kept !== text) found.push(`message ${name} is kept as something else than was written`);
    }
  }
  for (const { seq } of heard) if (!claimed.has(seq)) found.push(`nobody wrote what is kept at ${seq}`);
  return found;
}

/** Every message has its answer, said in one turn. */
function answeredOnce({ heard, said }: Case): string[] {
  const found: string[] = [];
  const answers = groupedBy(said, ({ answers: seq }) => seq);
  for (const { seq } of heard) {
    const turns = new Set(answers.get(seq)?.map(({ turn }) => turn));
    if (turns.size === 0) found.push(`the message at ${seq} is not answered`);
    if (turns.size > 1) found.push(`the message at ${seq} is answered in ${turns.size} turns`);
  }
  const places = new Set(heard.map(({ seq }) => seq));
  for (const [seq] of answers) {
    if (seq !== null && !places.has(seq)) found.push(`an answer is to ${seq}, where there is no message`);
  }
  return found;
}

/** The log has no gaps, turns follow each other, and who came first was answered first. */
function inOrder({ testimony, log, said, heard, requests }: Case): string[] {
  const found: string[] = [];
  log.forEach(({ seq }, index) => {
    if (seq !== index + 1) found.push(`the log has ${seq} where ${index + 1} should be`);
  });
  let [lastTurn, lastAnswered] = [0, 0];
  for (const { seq, turn, answers } of said) {
    if (turn === null || turn < lastTurn)
      found.push(`the reply at ${seq} is of turn ${turn}, after one of ${lastTurn}`);
    if (answers !== null && answers < lastAnswered) {
      found.push(`the reply at ${seq} answers ${answers}, after one that answers ${lastAnswered}`);
    }
    if (answers !== null && answers >= seq) found.push(`the reply at ${seq} comes before what it answers, ${answers}`);
    [lastTurn, lastAnswered] = [turn ?? lastTurn, answers ?? lastAnswered];
  }
  for (const [turn, replies] of groupedBy(said, ({ turn: each }) => each)) {
    if (new Set(replies.map(({ answers }) => answers)).size > 1) found.push(`turn ${turn} answers several messages`);
  }
  let before = 0;
  for (const [, sent] of groupedBy(testimony.sent, ({ round }) => round)) {
    const places = heard.filter(({ id }) => sent.some(({ ids }) => id !== null && ids.includes(id)));
    for (const { id, seq } of places) {
      if (seq < before)
        found.push(`message ${id} is at ${seq}, before one that was acknowledged before it, at ${before}`);
    }
    before = Math.max(before, ...places.map(({ seq }) => seq));
  }
  for (const { name, made_in: from, closed_in: to } of requests.filter(isAnsweredAtOnce)) {
    const between = said.filter(({ turn, answers }) => answers !== null && turn !== null && turn > from && turn < to);
    for (const { answers } of between) found.push(`the message at ${answers} was heard while ${name} was being asked`);
  }
  return found;
}

/** Only a revocation whose outcome is unknown lets the talk go on meanwhile; then it is asked about again. */
function isAnsweredAtOnce(asked: Asked): asked is Asked & { made_in: number; closed_in: number } {
  const { name, state, attempts, made_in: from, closed_in: to } = asked;
  const isOfLedger = name.startsWith('ledger.') && (name !== 'ledger.revoke' || attempts === 1);
  return isOfLedger && state === 'closed' && from !== null && to !== null;
}

function welcomedOnce({ said, requests }: Case): string[] {
  const [welcome] = said;
  if (welcome?.turn !== 1 || welcome.answers !== null) return ['it does not begin with a welcome'];
  const found: string[] = [];
  const welcomes = said.filter(({ text }) => text === welcome.text).length;
  if (welcomes !== 1) found.push(`the welcome is said ${times(welcomes)}`);
  const unasked = new Set(said.filter(({ answers }) => answers === null).map(({ turn }) => turn)).size - 1;
  const reports = requests.filter(({ state }) => state !== 'challenged').length;
  // A revocation that is unsettled is reported twice: that it is, and how it went.
  const settled = requests.filter(({ name, attempts }) => name === 'ledger.revoke' && attempts > 1).length;
  if (unasked > reports + settled) found.push(`${unasked} turns answer nothing, and there are ${reports} reports`);
  return found;
}

/** A student saw what is kept: everything, once and in order. */
function seenAsKept({ testimony: { seen }, log }: Case): string[] {
  const found: string[] = [];
  const rows = byKey(log, ({ seq }) => seq);
  const before = new Set<number>();
  let last = 0;
  for (const { seq, author, id, text } of seen) {
    const row = rows.get(seq);
    if (before.has(seq)) found.push(`the student saw ${seq} twice`);
    else if (seq < last) found.push(`the student saw ${seq} after ${last}`);
    before.add(seq);
    last = seq;
    if (!row) found.push(`the student saw ${seq}, which is not kept`);
    else if (author !== row.author || (author === 'student' && id !== row.id) || !shows(text, row)) {
      found.push(`the student saw something else than what is kept at ${seq}`);
    }
  }
  for (const { seq } of log) if (!before.has(seq)) found.push(`the student never saw ${seq}`);
  return found;
}

/** A channel may add to a reply, such as its sources, and never to what the student wrote. */
const shows = (text: string, row: Message): boolean =>
  row.author === 'bot' ? text.startsWith(row.text) : text === row.text;

function countedRight({ row, log, heard, said }: Case): string[] {
  const last = (numbers: (number | null)[]) => Math.max(0, ...numbers.map((each) => each ?? 0));
  const expected: [string, number, number][] = [
    ['messages that wait', row.waiting, 0],
    ['turns', row.turns, last(said.map(({ turn }) => turn))],
    ['last entry', row.last_seq, last(log.map(({ seq }) => seq))],
    ['last message answered', row.answered_seq, last(heard.map(({ seq }) => seq))],
    ['last reply', row.replied_seq, last(said.map(({ seq }) => seq))],
  ];
  return expected
    .filter(([, counted, actual]) => counted !== actual)
    .map(([what, counted, actual]) => `${what}: ${counted} by its row, ${actual} by its messages`);
}

function finished({ requests }: Case): string[] {
  return requests
    .filter(({ state }) => state === 'open' || state === 'unsettled')
    .map(({ reference, state }) => `${reference} is still ${state}`);
}

const RECEIPT = /\bS-[0-9A-F]{4}-[0-9A-F]{4}\b/g;

/** A receipt is told to nobody but who it belongs to, and to whoever said yes. */
function receiptsTold({ testimony: { conversation, signedInAs, saidYes }, said }: Case, all: Revocation[]): string[] {
  const told = new Set(said.flatMap(({ text }) => text.match(RECEIPT) ?? []));
  const theirs = all.filter(({ person }) => signedInAs.includes(person));
  const found = [...told]
    .filter((number) => !theirs.some(({ receipt }) => receipt === number))
    .map((number) => `the receipt ${number} was told, and is not one of the student’s`);
  for (const { reference, receipt } of all) {
    const isOurs = reference.startsWith(`${conversation}/`);
    if (isOurs && !told.has(receipt)) found.push(`the receipt ${receipt} was not told`);
  }
  if (saidYes && told.size === 0) found.push('the student said yes to a card, and was told no receipt');
  return found;
}

function revokedOnce(revocations: Revocation[], requests: Asked[]): string[] {
  const found: string[] = [];
  for (const [of, rows] of groupedBy(revocations, ({ person, card }) => `the card ${card} of ${person}`)) {
    if (rows.length > 1) found.push(`${of} is revoked ${times(rows.length)}`);
  }
  for (const { reference, person, card } of revocations) {
    const isAsked = requests.some(
      (each) =>
        each.name === 'ledger.revoke' && each.reference === reference && each.person === person && each.card === card,
    );
    if (!isAsked) found.push(`the card ${card} of ${person} is revoked, and nobody asked for it`);
  }
  return found;
}

/** Looks in every column of every row of every table, whatever signs stand between the digits. */
async function keptSecrets(client: Client, secrets: readonly string[]): Promise<string[]> {
  const tables = await allOf<{ name: string }>(client, TABLES);
  const patterns = secrets.map((digits) => ({
    digits,
    pattern: new RegExp(digits.replaceAll(/\B/g, String.raw`[\s.,+-]{0,3}`)),
  }));
  const found: string[] = [];
  for (const { name } of tables) {
    const rows = await allOf<{ row: string }>(client, `select t::text as row from ${name} t`);
    for (const { row } of rows) {
      const plain = row.normalize('NFKC').replace(CLOCK, '');
      for (const { digits, pattern } of patterns) {
        if (pattern.test(plain)) found.push(`a row of ${name} holds the secret ${digits}`);
      }
    }
  }
  return found;
}

/** The time of day, whose microseconds may be anything. */
const CLOCK = /\d\d:\d\d:\d\d(\.\d+)?/g;

// The rows

const CONVERSATIONS = 'select id, turns, last_seq, answered_seq, replied_seq, waiting from conversations';

const MESSAGES = `
  select conversation, seq, author, kind, id, coalesce(said ->> 'text', '') as text, turn, answers
  from messages order by conversation, seq`;

/**
 * A turn is dated just before it is committed, and taken when the one before is committed. So the turn that made or
 * closed a request is the last one dated until then, by one clock.
 */
const REQUESTS = `
  select conversation, reference, request ->> 'request' as name, request ->> 'person' as person,
    request ->> 'card' as card, state, attempts,
    (select max(turn) from messages m where m.conversation = r.conversation and m.author = 'bot' and m.at <= made_at)
      as made_in,
    (select max(turn) from messages m where m.conversation = r.conversation and m.author = 'bot' and m.at <= due_at)
      as closed_in
  from requests r`;

const REVOCATIONS = `select person, card, reference, receipt ->> 'number' as receipt from revocations`;

const TABLES = `
  select quote_ident(table_schema) || '.' || quote_ident(table_name) as name from information_schema.tables
  where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'`;

async function allOf<Row extends object>(client: Client, text: string): Promise<Row[]> {
  return (await client.query<Row>(text)).rows;
}

function groupedBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

const byKey = <Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item> =>
  new Map(items.map((item) => [keyOf(item), item]));

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);
