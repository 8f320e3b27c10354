/**
 * The independent checker: are the rows what the students say, and what the
 * product promises?
 *
 * It reads rows and testimonies and nothing else. It knows neither the program
 * nor any channel, so that a mistake of theirs is not its own. It is to run when
 * nobody is at work on the rows.
 */
import { createHash } from 'node:crypto';
import type { Client } from 'pg';

/** A message as a student knows it: as it was written, and under which ids it was sent. */
export type Sent = {
  /** One is the first; any more are of the same message, sent again under a new id. */
  ids: string[];
  text: string;
  hasSecret: boolean;
  /** Every message of a round was acknowledged before any of the next was sent. */
  round: number;
  /** Where in the log it is, as it was acknowledged: once for every time it was. A channel that is pushed to tells none. */
  places: number[];
  isAcknowledged?: boolean;
};

/** An entry of the log as a student was shown it. */
export type Seen = { seq: number; author: string; id?: string | undefined; text: string };

/** What was pushed to a student. A reply comes in parts: its text, and then each of its cards. */
export type Delivered = { text: string; under: number[] };

/** What a student knows of one conversation. */
export type Testimony = {
  /** As it is named in the rows. */
  conversation: string;
  sent: Sent[];
  /** In the order it was seen. */
  seen: Seen[];
  /** Of a channel that is pushed to: what came of the bot, in order, with the places that its buttons stand under. */
  delivered?: Delivered[];
  /** Who the student has proved to be, or tried to. */
  signedInAs: string[];
  /** Whether the student said yes to a card that was read back. */
  saidYes: boolean;
  /** All that was shown in each further tab, opened later. */
  tabs: Seen[][];
  /** What the student would complain of: an answer that never came. */
  complaints: string[];
};

type Conversation = {
  id: string;
  turns: number;
  last_seq: number;
  answered_seq: number;
  replied_seq: number;
  delivered_seq: number;
  waiting: number;
};
type Message = {
  conversation: string;
  seq: number;
  author: 'student' | 'bot';
  kind: string;
  id: string | null;
  text: string;
  at: Date;
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
  made_at: Date;
  made_in: number | null;
  closed_in: number | null;
};
type Proof = { conversation: string; person: string };
type Revocation = { person: string; card: string; reference: string; receipt: string; at: Date };

/** One conversation: what the rows tell of it, and what its student does. */
type Case = {
  testimony: Testimony;
  row: Conversation;
  /** By seq. */
  log: Message[];
  heard: Message[];
  said: Message[];
  requests: Asked[];
  /** Who has proved to be there. */
  people: string[];
};

/** The rows of the product, and those of its ledger, which may be on a database of its own. */
export type Rows = { product: Client; ledger: Client };

/** Everything that is wrong, in words. `secrets` must be nowhere in the product's rows. */
export async function findViolations(
  { product, ledger }: Rows,
  testimonies: readonly Testimony[],
  secrets: readonly string[],
): Promise<string[]> {
  const conversations = byKey(await allOf<Conversation>(product, CONVERSATIONS), ({ id }) => id);
  const by = await clockOf(product);
  const messages = groupedBy(await allOf<Message>(product, messagesBy(by)), ({ conversation }) => conversation);
  const requests = groupedBy(await allOf<Asked>(product, requestsBy(by)), ({ conversation }) => conversation);
  const proofs = groupedBy(await allOf<Proof>(product, PROOFS), ({ conversation }) => conversation);
  // The ledger knows a reference by its hash, which nobody can read it from.
  const references = byKey([...requests.values()].flat(), ({ reference }) => hashOf(reference));
  const revocations = (await allOf<Revocation>(ledger, REVOCATIONS)).map((each) => ({
    ...each,
    reference: references.get(each.reference)?.reference ?? each.reference,
  }));

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
      people: (proofs.get(conversation) ?? []).map(({ person }) => person),
    };
    const found = [
      ...testimony.complaints,
      ...keptOnce(one),
      ...answeredOnce(one),
      ...inOrder(one),
      ...welcomedOnce(one),
      ...(testimony.delivered ? deliveredAsKept(one, testimony.delivered).violations : seenAsKept(one)),
      ...tabsAreAlike(one),
      ...countedRight(one),
      ...finished(one),
      ...receiptsTold(one, revocations),
      ...toldTruly(one, revocations),
    ];
    violations.push(...found.map((each) => `${conversation}: ${each}`));
  }
  violations.push(...onePersonEach(testimonies, proofs));
  violations.push(...revokedOnce(revocations, [...requests.values()].flat()));
  violations.push(...(await keptSecrets(product, secrets)));
  return violations;
}

// What is promised, one by one

/** What is read of a message in Teams: signs without width, such as those that join emoji, are left out. */
const visibleIn = (text: string): string => text.replace(/[\u200b-\u200d\u2060\ufeff]/g, '').trim();

/** What was acknowledged has one row, where it was said to be, and holds what was written. */
function keptOnce({ testimony, heard }: Case): string[] {
  const found: string[] = [];
  const claimed = new Set<number>();
  for (const { ids, text, hasSecret, places, isAcknowledged = places.length > 0 } of testimony.sent) {
    const [name = ''] = ids;
    const rows = heard.filter(({ id }) => id !== null && ids.includes(id));
    for (const { seq } of rows) claimed.add(seq);
    if (!isAcknowledged) found.push(`message ${name} was never acknowledged`);
    else if (rows.length !== 1) found.push(`message ${name} was acknowledged, and is kept ${times(rows.length)}`);
    for (const { seq, text: kept } of rows.slice(0, 1)) {
      if (places.some((place) => place !== seq)) {
        found.push(`message ${name} is at ${seq}, and was said to be at ${[...new Set(places)].join(' and ')}`);
      }
      const isAsWritten = kept === text || (testimony.delivered !== undefined && kept === visibleIn(text));
      if (!hasSecret && !isAsWritten) found.push(`message ${name} is kept as something else than was written`);
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
  const reports = requests.length;
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

/**
 * Every reply came, and none before all that was said before it. Whoever was not sure that it came may have sent it
 * again: that is no violation, but it is counted.
 */
function deliveredAsKept({ said, row }: Pick<Case, 'said' | 'row'>, delivered: readonly Delivered[]) {
  const violations: string[] = [];
  const texts = said.filter(({ text }) => text !== '').map(({ seq, text }) => ({ seq, text: asShown(text) }));
  const places = new Set(said.map(({ seq }) => seq));
  let next = 0;
  let repeated = 0;
  for (const { text, under } of delivered) {
    for (const seq of under)
      if (!places.has(seq)) violations.push(`a button stands under ${seq}, where nothing was said`);
    if (text === '') continue;
    const shown = asShown(text);
    if (texts[next] && shown.startsWith(texts[next]?.text ?? '\0')) next++;
    else if (texts.slice(0, next).some((each) => shown.startsWith(each.text))) repeated++;
    else {
      const later = texts.slice(next).find((each) => shown.startsWith(each.text));
      violations.push(
        later
          ? `what was said at ${later.seq} came before what was said at ${texts[next]?.seq ?? 0}`
          : 'something came that was never said',
      );
      if (later) next = texts.indexOf(later) + 1;
    }
  }
  for (const { seq } of texts.slice(next)) violations.push(`what was said at ${seq} never came`);
  if (row.delivered_seq !== row.replied_seq) {
    violations.push(`delivered is ${row.delivered_seq} by its row, of ${row.replied_seq}`);
  }
  return { violations, repeated };
}

/** Without what a channel does so that nothing of it is taken for signs of HTML or of a link. */
const asShown = (text: string): string => text.replace(/&lt;/g, '<').replace(/&amp;/g, '&').replaceAll('\\', '').trim();

/** How many replies came more than once. */
export async function countRepeated(product: Client, testimonies: readonly Testimony[]): Promise<number> {
  const rows = byKey(await allOf<Conversation>(product, CONVERSATIONS), ({ id }) => id);
  const log = await allOf<Message>(product, messagesBy(await clockOf(product)));
  const said = groupedBy(
    log.filter(({ author }) => author === 'bot'),
    ({ conversation }) => conversation,
  );
  return testimonies.reduce((sum, { conversation, delivered }) => {
    const row = rows.get(conversation);
    const one = row && delivered && { said: said.get(conversation) ?? [], row };
    return sum + (one ? deliveredAsKept(one, delivered).repeated : 0);
  }, 0);
}

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

/** A tab that is opened later shows what the first one has shown, up to then. */
function tabsAreAlike({ testimony: { seen, tabs } }: Case): string[] {
  const first = byKey(seen, ({ seq }) => seq);
  return tabs.flatMap((tab) =>
    tab.flatMap(({ seq, text }, index) => {
      if (seq !== index + 1) return [`another tab showed ${seq} where ${index + 1} should be`];
      return first.get(seq)?.text === text ? [] : [`another tab showed something else at ${seq}`];
    }),
  );
}

/** Whoever signs in by the same name is the same person, and nobody else is. */
function onePersonEach(testimonies: readonly Testimony[], proofs: ReadonlyMap<string, Proof[]>): string[] {
  const pairs = testimonies.flatMap(({ conversation, signedInAs }) => {
    const people = new Set(proofs.get(conversation)?.map(({ person }) => person));
    return signedInAs.flatMap((name) => [...people].map((person) => ({ name, person })));
  });
  const named = [...groupedBy(pairs, ({ name }) => name)].filter(([, all]) => sizeOf(all, 'person') > 1);
  const shared = [...groupedBy(pairs, ({ person }) => person)].filter(([, all]) => sizeOf(all, 'name') > 1);
  return [
    ...named.map(([name, all]) => `${name} was taken for ${sizeOf(all, 'person')} people`),
    ...shared.map(([person, all]) => `${person} is ${sizeOf(all, 'name')} people`),
  ];
}

const sizeOf = <Name extends string>(all: readonly Record<Name, string>[], name: Name): number =>
  new Set(all.map((each) => each[name])).size;

const RECEIPT = /\bS(-[0-9A-F]{4}){3}\b/g;

/** All that is told of it to whoever is signed in no longer, as when their proof ended while the ledger was asked. */
const WITHOUT_RECEIPT = 'som du bad mig spärra är spärrat. Du är inte inloggad längre';

/** A receipt is told to nobody but who it belongs to, and to whoever said yes. */
function receiptsTold({ testimony: { conversation, saidYes }, said, people }: Case, all: Revocation[]): string[] {
  const told = new Set(said.flatMap(({ text }) => text.match(RECEIPT) ?? []));
  const isToldWithout = said.some(({ text }) => text.includes(WITHOUT_RECEIPT));
  const theirs = all.filter(({ person }) => people.includes(person));
  const found = [...told]
    .filter((number) => !theirs.some(({ receipt }) => receipt === number))
    .map((number) => `the receipt ${number} was told, and is not one of the student’s`);
  for (const { reference, receipt } of all) {
    const isOurs = reference.startsWith(`${conversation}/`);
    if (isOurs && !told.has(receipt) && !isToldWithout) found.push(`the receipt ${receipt} was not told`);
  }
  if (saidYes && told.size === 0 && !isToldWithout)
    found.push('the student said yes to a card, and was told no receipt');
  return found;
}

/** What is said of one's own card: that it is revoked, and that it is not and will not be. */
const CLAIM = /kort\S* som (slutar på|du bad mig)[^.]* är (redan )?spärrat|^Kortet är spärrat\b/i;
const DENIAL = /Jag kunde inte spärra kortet|så jag har inte spärrat kortet/i;

/** It is said to be revoked when it is, and said not to be when it is not and nobody asks for it any more. */
function toldTruly({ said, requests, people }: Case, all: readonly Revocation[]): string[] {
  const theirs = all.filter(({ person }) => people.includes(person));
  const asked = requests.filter(({ name }) => name === 'ledger.revoke');
  return said.flatMap(({ seq, turn, text, at }) => {
    const found: string[] = [];
    const numbers: readonly string[] = text.match(RECEIPT) ?? [];
    const proof = theirs.filter(({ receipt }) => numbers.length === 0 || numbers.includes(receipt));
    if ((CLAIM.test(text) || numbers.length > 0) && !proof.some((event) => event.at <= at)) {
      found.push(`a card was said to be revoked at ${seq}, and was not yet`);
    }
    if (!DENIAL.test(text)) return found;
    const denied = asked.find(({ closed_in: closedIn }) => closedIn === turn);
    if (!denied) return [...found, `a card was said not to be revoked at ${seq}, and nobody had asked`];
    // Whoever says yes once more asks once more, by the same reference.
    const [next] = asked.filter(({ made_at: madeAt }) => madeAt > denied.made_at);
    const isDone = theirs.some((event) => event.reference === denied.reference && (!next || event.at < next.made_at));
    return isDone ? [...found, `a card was said not to be revoked at ${seq}, and that request had revoked it`] : found;
  });
}

function revokedOnce(revocations: Revocation[], requests: Asked[]): string[] {
  const found: string[] = [];
  for (const [of, rows] of groupedBy(revocations, ({ person, card }) => `the card ${card} of ${person}`)) {
    if (rows.length > 1) found.push(`${of} is revoked ${times(rows.length)}`);
  }
  for (const [reference, rows] of groupedBy(revocations, (each) => each.reference)) {
    if (rows.length > 1) found.push(`${reference} was carried out ${times(rows.length)}`);
  }
  for (const { reference, person, card, at } of revocations) {
    const asked = requests.filter(
      (each) =>
        each.name === 'ledger.revoke' && each.reference === reference && each.person === person && each.card === card,
    );
    if (asked.length === 0) found.push(`the card ${card} of ${person} is revoked, and nobody asked for it`);
    else if (asked.every(({ made_at: madeAt }) => madeAt > at)) {
      found.push(`the card ${card} of ${person} was revoked before anybody asked for it`);
    }
  }
  return found;
}

/** The lines of a log that hold what must be nowhere. */
export const findLeaks = (lines: readonly string[], secrets: readonly string[]): string[] =>
  secrets
    .filter((secret) => lines.some((line) => patternOf(secret).test(line.normalize('NFKC'))))
    .map((secret) => `a log holds the secret ${secret}`);

const patternOf = (secret: string): RegExp => new RegExp(secret.replaceAll(/\B/g, String.raw`[\s.,+-]{0,3}`));

/** Looks in every column of every row of every table, whatever signs stand between the digits or letters. */
async function keptSecrets(client: Client, secrets: readonly string[]): Promise<string[]> {
  const tables = await allOf<{ name: string }>(client, TABLES);
  const patterns = secrets.map((secret) => ({ secret, pattern: patternOf(secret) }));
  const found: string[] = [];
  for (const { name } of tables) {
    const rows = await allOf<{ row: string }>(client, `select t::text as row from ${name} t`);
    for (const { row } of rows) {
      const plain = row.normalize('NFKC').replace(CLOCK, '');
      for (const { secret, pattern } of patterns) {
        if (pattern.test(plain)) found.push(`a row of ${name} holds the secret ${secret}`);
      }
    }
  }
  return found;
}

/** The time of day, whose microseconds may be anything. */
const CLOCK = /\d\d:\d\d:\d\d(\.\d+)?/g;

// The rows

const CONVERSATIONS =
  'select id, turns, last_seq, answered_seq, replied_seq, delivered_seq, waiting from conversations';

/**
 * A turn is dated by the clock of whoever took it, just before it is committed. Where the database keeps when that was,
 * it is dated by its own clock instead, as requests are: then it does not matter that anybody else's clock is wrong.
 */
type Clock = 'theirs' | 'the database’s';

async function clockOf(client: Client): Promise<Clock> {
  const [found] = await allOf<{ track_commit_timestamp: string }>(client, 'show track_commit_timestamp');
  return found?.track_commit_timestamp === 'on' ? 'the database’s' : 'theirs';
}

const dated = (by: Clock): string => (by === 'theirs' ? 'm.at' : 'pg_xact_commit_timestamp(m.xmin)');

const messagesBy = (by: Clock): string => `
  select conversation, seq, author, kind, id, coalesce(said ->> 'text', '') as text, ${dated(by)} as at, turn, answers
  from messages m order by conversation, seq`;

/**
 * Requests are dated when the statement begins that makes or closes them. By the clock of whoever took that turn, it is
 * the last one dated until then; by the database's, the first one dated since, for it is committed a moment later.
 */
const turnAt = (by: Clock, at: string): string => {
  const which = by === 'theirs' ? 'max' : 'min';
  const when = by === 'theirs' ? `<= ${at}` : `>= ${at}`;
  return `(select ${which}(turn) from messages m
    where m.conversation = r.conversation and m.author = 'bot' and ${dated(by)} ${when})`;
};

const requestsBy = (by: Clock): string => `
  select conversation, reference, request ->> 'request' as name, request ->> 'person' as person,
    request ->> 'card' as card, state, attempts, made_at,
    ${turnAt(by, 'made_at')} as made_in, ${turnAt(by, 'due_at')} as closed_in
  from requests r order by id`;

const PROOFS = 'select distinct conversation, person from proofs';

/** Those of invented people who were there before are nobody's here. */
const REVOCATIONS = `
  select holder as person, card, key as reference, receipt, (event::jsonb ->> 'at')::timestamptz as at
  from ledger_events where type = 'card.revoked' and client <> 'demonstration' order by position`;

const TABLES = `
  select quote_ident(table_schema) || '.' || quote_ident(table_name) as name from information_schema.tables
  where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'`;

const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url');

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
