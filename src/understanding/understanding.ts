/**
 * What a message means: from the student's Swedish to what the conversation
 * hears.
 *
 * A message is first an answer to what was asked, if it can be read as one;
 * else a wish. A wish that is not clear is asked back about, and one that
 * nobody taught us is admitted not to be understood.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Day } from '../../dialogs/card-validity.ts';
import { answers, type Beginning, beginnings, type Intent } from '../../dialogs/intents.ts';
import type { Heard, Known, Moment } from '../../dialogs/vocabulary.ts';
import type { Content, Taught } from '../content.ts';
import type { Rule } from '../guidance.ts';
import type { Asked } from '../turn.ts';
import { type AnswerRead, type Command, createAnswerReader } from './answers.ts';
import { createClassifier, type Lessons, type Model } from './classifier.ts';
import { createDateReader } from './dates.ts';
import { type Candidate, CLEARLY, decide, type Decision, OUTSIDE, type Understood } from './decision.ts';
import { readSignInCode } from '../identity/sign-ins.ts';
import { createWishReader } from './wishes.ts';
import { foldedWordsIn, wordsIn } from './words.ts';

/** What of the editors' texts spoke for the choice, the strongest first: examples, pieces of words and rules. */
export type Because = {
  examples: { text: string; similarity: number }[];
  pieces: { piece: string; weight: number }[];
  guidance: { rule: string; text: string; similarity: number }[];
};

/** What was heard, before the calendar has said what it knows of the moment. */
export type Wish = Heard extends infer Each ? (Each extends Moment ? Omit<Each, keyof Moment> : never) : never;

/** The situation a message is read in: what is asked, and what was suggested as an answer. */
export type Situation = { asked: Asked; suggests: readonly string[] };

export type Understanding = {
  understand: (text: string) => Understood;
  explain: (understood: Understood) => Because;
  /** What a message commands, if it is nothing but a command, such as to stop or to be forgotten. */
  command: (text: string) => Wish | undefined;
  /** Everything that is heard in a message, in order, and the day it asks about. */
  hear: (text: string, situation: Situation, today: Day) => { wishes: Wish[]; askedDay: Day | undefined };
};

/** What a model of this content is trained on. */
export function lessonsOf({ taught, borders, rules, synonyms }: Teaching): Lessons {
  const sides = borders.flatMap((border) => border.sides);
  return {
    examples: [...taught, ...sides].flatMap(({ intent, examples }) =>
      examples.map((text) => ({ text, label: intent })),
    ),
    evidence: Object.fromEntries(taught.map((each) => [each.intent, rulesOf(each, rules).map(({ text }) => text)])),
    synonyms,
  };
}

type Teaching = Pick<Content, 'taught' | 'borders' | 'rules' | 'synonyms'>;

export function createUnderstanding(content: Content, model: Model): Understanding {
  const classifier = createClassifier(model);
  const { examples } = lessonsOf(content);
  const dates = createDateReader(content.dates);
  const reader = createAnswerReader(content.answers, dates);
  const titles = new Map(content.taught.map(({ intent, title }) => [plain(title), intent]));
  const undecided = new Map(
    content.borders.flatMap((border) =>
      border.undecided.map((text) => [plain(text), border.sides.map(({ intent }) => intent)] as const),
    ),
  );
  const { answerAt } = model.calibration;

  /** A message may be asked about several times while it is read. */
  let last: Understood | undefined;
  const understand = (text: string): Understood => (last?.text === text ? last : (last = classify(text)));

  const classify = (text: string): Understood => {
    const meant = titles.get(plain(text));
    const firsts = meant ? [meant] : (undecided.get(plain(text)) ?? []);
    const classified = classifier.classify(text).map(({ label, probability }) => ({
      intent: label as Intent,
      probability: round(probability),
    }));
    const candidates = firsts.length > 0 ? evenlyAmong(firsts, classified) : classified;
    const intent = candidates[0]?.intent ?? OUTSIDE;
    return { text, intent, decision: decisionOn(text, candidates), candidates };
  };

  /** What nobody has written a word of is not answered at once, however much its letters look like something. */
  const decisionOn = (text: string, candidates: readonly Candidate[]): Decision => {
    if (wordsIn(text).length === 0) return 'fallback';
    const decision = decide(candidates, answerAt);
    return decision === 'answer' && !classifier.knowsWordOf(text) ? 'clarify' : decision;
  };

  const wishesOf = createWishReader(reader.links, classify, canWaitItsTurn, isSameErrand);

  const wishes = (text: string, offered: readonly Intent[], today: Day): Wish[] => {
    const understood = understand(text);
    const { decision, intent, candidates } = understood;
    const told = reader.volunteered(text, today);
    const [first, second] = wishesOf(understood);
    if (first && second) return inOrder(first, second, told);
    if (decision === 'answer') return [{ type: `intent.${intent}`, told }];
    const chosen = clearestOf(offered, candidates);
    if (chosen) return [{ type: `intent.${chosen}`, told }];
    if (decision === 'clarify' && areOnePath(candidates, answerAt)) return [{ type: `intent.${intent}` }];
    if (decision === 'clarify') return [{ type: 'ambiguous', between: choicesAmong(candidates) }];
    return [intent === OUTSIDE && wordsIn(text).length > 0 ? { type: 'intent.out-of-scope' } : { type: 'unclear' }];
  };

  /** A yes or no to nothing that was asked: perhaps to what was last said. Never to a question of its own. */
  const agreementIn = (text: string): Wish[] | undefined => {
    const type = reader.agreement(text);
    return type && [{ type }];
  };

  const hearAnswer = (text: string, asked: Asked, today: Day): Wish[] | undefined => {
    if (titles.has(plain(text))) return undefined;
    if (asked.fact === undefined) return agreementIn(text);
    const read = reader.answer(text, asked.fact, today);
    if (!read) return undefined;
    const { decision, intent } = understand(text);
    if (decision !== 'answer' || intent === OUTSIDE) return [heardAs(read)];

    const isQuestion = text.includes('?') && (answers as readonly Intent[]).includes(intent);
    if (isQuestion) return read.isPlain ? [heardAs(read), { type: `intent.${intent}` }] : undefined;
    const isElsewhere = pathOf(intent) !== asked.path;
    const isUrgent = urgent.includes(intent) && wordsIn(text).length > WORDS_OF_A_FACT;
    return isElsewhere && (isUrgent || !read.isWhole) ? undefined : [heardAs(read)];
  };

  /** What is said after a change of mind. A revocation is confirmed by the whole message, whatever its end says. */
  const hearCorrection = (text: string, asked: Asked, today: Day): Wish[] | undefined => {
    const meant = asked.fact === 'confirmation' ? undefined : reader.corrected(text);
    if (meant === undefined) return undefined;
    const read = asked.fact && reader.answer(meant, asked.fact, today);
    if (read) return [heardAs(read)];
    const { decision, intent } = understand(meant);
    return decision === 'answer' ? [{ type: `intent.${intent}`, told: reader.volunteered(meant, today) }] : undefined;
  };

  return {
    understand,
    explain({ text, intent }) {
      const { examples: near, features, paragraphs } = classifier.explain(text, intent);
      const lesson = content.taught.find((each) => each.intent === intent);
      const rules = lesson ? rulesOf(lesson, content.rules) : [];
      return {
        examples: near.map(({ place, similarity }) => ({
          text: examples[place]?.text ?? '',
          similarity: round(similarity),
        })),
        pieces: features.map(({ name, weight }) => ({ piece: name.replace(/^[spcq]:/, ''), weight: round(weight) })),
        guidance: paragraphs.flatMap(({ place, similarity }) => {
          const rule = rules[place];
          return rule ? [{ rule: rule.id, text: rule.text, similarity: round(similarity) }] : [];
        }),
      };
    },
    command(text) {
      const command = reader.command(text);
      return command && commands[command];
    },
    hear(message, { asked, suggests }, today) {
      const text = suggests[reader.ordinal(message) ?? suggests.length] ?? message;
      const offered = suggests.flatMap((suggested) => titles.get(plain(suggested)) ?? []);
      const command = reader.command(text);
      const askedDay = dates.read(text, today, 'future')[0]?.span;
      const code = readSignInCode(text);
      const heard = (): Wish[] => {
        if (code) return [{ type: 'signInCode', code }];
        if (command) return [commands[command]];
        const [first, second, ...more] = reader.isAll(text) ? offered : [];
        if (first && second && more.length === 0) return inOrder(first, second, {});
        return hearCorrection(text, asked, today) ?? hearAnswer(text, asked, today) ?? wishes(text, offered, today);
      };
      return { wishes: heard(), askedDay: askedDay?.from === askedDay?.to ? askedDay?.from : undefined };
    },
  };
}

/**
 * Two wishes of one message. The second waits while the first has its
 * questions, unless it is what must not wait.
 */
function inOrder(first: Intent, second: Intent, told: Known): Wish[] {
  const waits = pathOf(first) !== undefined && pathOf(second) !== undefined && !urgent.includes(second);
  return [
    { type: `intent.${first}`, told },
    { type: `intent.${second}`, told, ...(waits && { waits }) },
  ];
}

/** What is heard first, also in what could be read as an answer; unless it is as short as one. */
const urgent: readonly Intent[] = ['lost-card', 'codes-exposed', 'protected-identity'];
const WORDS_OF_A_FACT = 3;

const commands: Record<Command, Wish> = {
  cancel: { type: 'intent.cancel' },
  startOver: { type: 'startOver' },
  back: { type: 'back' },
  help: { type: 'intent.help' },
  human: { type: 'intent.talk-to-human' },
  signOut: { type: 'signOut' },
  forgetMe: { type: 'forgetMe' },
  remindMe: { type: 'remindMe' },
  stopReminding: { type: 'stopReminding' },
};

/** Between two wishes that the same path answers, from the same facts, there is nothing to ask back about. */
function areOnePath([first, second]: Understood['candidates'], answerAt: number): boolean {
  if (!first || !second || first.probability + second.probability < answerAt) return false;
  const [one, other] = [beginningOf(first.intent), beginningOf(second.intent)];
  return one !== undefined && one.path === other?.path && isDeepStrictEqual([one.at, one.told], [other.at, other.told]);
}

/** What the student means of that which was offered, if they say it less clearly than one who was offered nothing. */
function clearestOf(offered: readonly Intent[], candidates: readonly Candidate[]): Intent | undefined {
  const [first, second] = candidates.filter(({ intent }) => offered.includes(intent));
  if (!first || !second || offered.length > MOST_CHOICES) return undefined;
  return first.probability >= LEAST_LIKELY_CHOICE && first.probability > CLEARLY * second.probability
    ? first.intent
    : undefined;
}

/** A wish that two of may be in a message. Thanks and greetings go with any. */
const canWaitItsTurn = (intent: Intent): boolean =>
  pathOf(intent) !== undefined || (answers as readonly Intent[]).includes(intent) || intent === 'talk-to-human';

const isSameErrand = (one: Intent, other: Intent): boolean =>
  pathOf(one) !== undefined && pathOf(one) === pathOf(other);

const MOST_CHOICES = 3;
const LEAST_LIKELY_CHOICE = 0.08;

function choicesAmong(candidates: Understood['candidates']): Intent[] {
  const wishes = candidates.filter(({ intent }) => intent !== OUTSIDE);
  const likely = wishes.filter(({ probability }, index) => index < 2 || probability >= LEAST_LIKELY_CHOICE);
  return likely.slice(0, MOST_CHOICES).map(({ intent }) => intent);
}

function heardAs({ told }: AnswerRead): Wish {
  return told === 'yes' || told === 'no' ? { type: told } : { type: 'told', told };
}

const beginningOf = (intent: Intent): Beginning | undefined =>
  new Map<string, Beginning>(Object.entries(beginnings)).get(intent);
const pathOf = (intent: Intent): string | undefined => beginningOf(intent)?.path;

const rulesOf = ({ rules }: Taught, all: Content['rules']): Rule[] => rules.flatMap((id) => all.get(id) ?? []);

/** What an editor has decided, or left undecided, whatever the examples would say of it. */
function evenlyAmong(firsts: readonly Intent[], candidates: readonly Candidate[]): Candidate[] {
  const others = candidates.filter(({ intent }) => !firsts.includes(intent));
  return [
    ...firsts.map((intent) => ({ intent, probability: round(1 / firsts.length) })),
    ...others.map((each) => ({ ...each, probability: 0 })),
  ];
}

const plain = (text: string): string => foldedWordsIn(text).join(' ');
const round = (value: number): number => Math.round(value * 10_000) / 10_000;
