/**
 * A hub with humans of its own, as small as one can be: it begins a
 * conversation for a student, is handed it by the bot, has a human take it over,
 * and hands it back onto a path. It prints everything that is said.
 *
 *   HUB_SECRET=… node src/servicedesk/example/agent-hub.mjs
 *
 * KORTLOTSEN is where the assistant is: http://127.0.0.1:3978, if it is not said.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';

const { KORTLOTSEN = 'http://127.0.0.1:3978', HUB_SECRET } = process.env;
if (!HUB_SECRET) throw new Error('HUB_SECRET is missing: the secret that direct-line hub has printed.');
const BASE = `${KORTLOTSEN}/v3/directline/conversations`;
/** In milliseconds: between two looks, and before it is given up. */
const [BETWEEN_LOOKS, PATIENCE] = [200, 20_000];

/** What is refused, says why. */
async function ask(path, bearer, body) {
  const response = await fetch(`${BASE}${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { Authorization: `Bearer ${bearer}`, ...(body && { 'Content-Type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${answer.error?.message}`);
  return answer;
}

// The secret is the hub's alone. The token that comes with a conversation is what a student's page may have.
const { conversationId: id, token } = await ask('', HUB_SECRET, {});

/** The same id again is the same activity, so whatever has not been answered can be sent again. */
const post = (bearer, activity) =>
  ask(`/${id}/activities`, bearer, { ...activity, channelData: { clientActivityID: randomUUID() } });
const asStudent = (text) => post(token, { type: 'message', text });
const asHub = (activity) => post(HUB_SECRET, { from: { id: 'anna', name: 'Anna', role: 'agent' }, ...activity });

let watermark = '';
/** Prints what is new until it has come to what is looked for, and gives that. */
async function until(isIt) {
  for (const end = Date.now() + PATIENCE; Date.now() < end; await wait(BETWEEN_LOOKS)) {
    const news = await ask(`/${id}/activities?watermark=${watermark}`, HUB_SECRET);
    watermark = news.watermark;
    news.activities.forEach(print);
    const found = news.activities.findLast(isIt);
    if (found) return found;
  }
  throw new Error('What was waited for has not come.');
}

function print({ type, name, value, text, from, suggestedActions }) {
  const who = from.name ?? from.id;
  if (type === 'event') console.log(`  (${who}: ${name}${value?.state ? ` ${value.state}` : ''})`);
  else if (type === 'message') console.log(`${who}: ${text.replace(/\n+\[\d+\]: cite:.*/gs, '').trim()}`);
  const choices = suggestedActions?.actions.map(({ title }) => title).join(' | ');
  if (choices) console.log(`  [ ${choices} ]`);
}

const isEvent = (called) => (each) => each.type === 'event' && each.name === called && each.from.role === 'bot';
const isBots = (each) => each.type === 'message' && each.from.id === 'kortlotsen';

// The student talks to the bot, until they want a human.
await asStudent('Hur hämtar jag mitt kort?');
await until((each) => isBots(each) && each.suggestedActions);
await asStudent('Jag vill prata med en människa');
const handedOver = await until(isEvent('handoff.initiate'));

console.log('\nWhat goes along:');
console.log(JSON.stringify(handedOver.value, null, 2));
const [transcript] = handedOver.attachments.filter(({ name }) => name === 'Transcript');
console.log(`and a transcript of ${transcript.content.activities.length} activities:`);
transcript.content.activities.forEach(print);
console.log();

// A human of the hub's answers, and from here on nobody else does.
await asHub({ type: 'event', name: 'handoff.status', value: { state: 'accepted' } });
await asHub({ type: 'message', text: 'Hej, jag ser att kortet är klart och att du har fotograferat dig på Sös.' });

// The rest is a path of the bot's. What the human knows goes along, and is not asked again.
await asHub({
  type: 'event',
  name: 'handoff.status',
  value: {
    state: 'completed',
    handBack: { path: 'pickup-ready', known: { cardReady: true, photoSite: 'sodersjukhuset' }, agent: 'anna' },
  },
});
await until((each) => isBots(each) && each.suggestedActions);
await asStudent('Ja');
await until(isBots);
