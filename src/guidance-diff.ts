/**
 * What a new copy of a page of guidance says otherwise than the page our rules
 * were read from, and which rules and texts that touches.
 *
 * Paragraphs are paired by their words, wherever they stand, so one that was
 * moved, divided or put together is known again. The same two pages always
 * give the same answer.
 */
import { diffArrays } from 'diff';
import type { Day } from '../dialogs/card-validity.ts';
import type { Line, Reading } from './content.ts';
import { type Copied, dayIn, isMonth, isWord, TOKEN, tidied, wordsIn } from './guidance-copy.ts';
import type { Page, Paragraph, Rule } from './guidance.ts';

/** In their order they are the text; each has the space before it. */
export type Piece = { kind: 'same' | 'gone' | 'added'; text: string };

/** A rule that rests on a paragraph; `isTouched` where it has words that are no longer there, or that others are among. */
export type Resting = { rule: Rule; isTouched: boolean };

/** A text that cites rules of a paragraph, by the sentence that comes nearest to what has changed. */
export type CitingLine = {
  name: string;
  file: string;
  at: number;
  sentence: string;
  /** The rules of the paragraph that it cites. */
  rules: string[];
  /** Whether one of those is touched. */
  isTouched: boolean;
  /** Numbers, times, dates and names that the page no longer says there, and this text does. */
  says: string[];
};

export type Difference = {
  change: 'changed' | 'moved' | 'removed' | 'new';
  /** Whether it stands elsewhere than before; what has changed may have moved as well. */
  isMoved: boolean;
  old: Paragraph[];
  now: Copied[];
  pieces: Piece[];
  rules: Resting[];
  lines: CitingLine[];
};

export type Comparison = {
  page: Page;
  same: number;
  differences: Difference[];
  /** The page's own dates that are others than those the rules have. */
  dates: { date: 'updated' | 'fact_checked'; was: Day; is: Day }[];
};

/** Numbers with what they count, in one form: “åtta veckor” is “8 veckor”. */
export type NumbersIn = (text: string) => { number: string; parts: string[]; written: string; index: number }[];

type Written = Pick<Reading, 'pages' | 'rules' | 'lines' | 'visits' | 'openings'>;

/** With the page that has most in common with the copy. Nothing, where no paragraph of any page is in it. */
export function compareGuidance(
  reading: Written,
  copy: readonly Copied[],
  numbersIn: NumbersIn,
): Comparison | undefined {
  const compared = reading.pages.map((page) => comparePage(reading, page, copy, numbersIn));
  const known = ({ page, differences }: Comparison) => {
    const gone = differences.filter(({ change }) => change === 'removed').flatMap(({ old }) => old);
    return page.paragraphs.filter((each) => each.rules.length > 0 && !gone.includes(each)).length;
  };
  const [nearest] = compared.sort((one, other) => known(other) - known(one));
  return nearest && known(nearest) > 0 ? nearest : undefined;
}

function comparePage(reading: Written, page: Page, copy: readonly Copied[], numbersIn: NumbersIn): Comparison {
  const groups = align(
    page.paragraphs.map(({ text }) => text),
    copy.map(({ text }) => text),
  );
  const moved = movedOf(groups);
  const paired = groups
    .map((group) => ({
      old: group.old.flatMap((index) => page.paragraphs[index] ?? []),
      now: group.now.flatMap((index) => copy[index] ?? []),
      isMoved: moved.has(group),
    }))
    .filter(({ old, now }) => old.length > 0 || now.some(({ isBeside }) => !isBeside));
  const differences = paired.flatMap((each) => differenceOf(reading, each, numbersIn) ?? []);
  const guidance = [...reading.rules.values()].find(({ file }) => file === page.rulesFile)?.guidance;
  return {
    page,
    same: paired.length - differences.length,
    differences,
    dates: paired.flatMap(({ old, now }) => {
      const date = old.find((each) => each.date !== undefined)?.date;
      const [was, is] = [date && guidance?.[date], dayIn(textOf(now))];
      return date && was && is && was !== is ? [{ date, was: was as Day, is }] : [];
    }),
  };
}

const textOf = (paragraphs: readonly { text: string }[]): string => paragraphs.map(({ text }) => text).join(' ');

type Paired = Pick<Difference, 'old' | 'now' | 'isMoved'>;

function differenceOf(reading: Written, { old, now, isMoved }: Paired, numbersIn: NumbersIn): Difference | undefined {
  const [before, after] = [tokensOf(textOf(old)), tokensOf(textOf(now))];
  const edits = editsBetween(before, after);
  const isSame = edits.every(({ kind }) => kind === 'same');
  if (isSame && !isMoved) return undefined;

  const rules = [...new Set(old.flatMap((paragraph) => paragraph.rules))]
    .sort((one, other) => one.localeCompare(other, 'sv', { numeric: true }))
    .flatMap((id) => reading.rules.get(id) ?? [])
    .map((rule) => ({ rule, isTouched: now.length === 0 || isTouched(rule, before, edits) }));
  return {
    change: isSame ? 'moved' : now.length === 0 ? 'removed' : old.length === 0 ? 'new' : 'changed',
    isMoved,
    old,
    now,
    pieces: edits.map(({ kind, tokens }) => ({ kind, text: written(tokens) })),
    rules,
    lines: citing(reading, rules, lostIn(edits, textOf(old), textOf(now), numbersIn)),
  };
}

/** `key` is what a token is compared by: kinds of quotes, strokes and apostrophes are one. */
type Token = { text: string; key: string; isApart: boolean; startsSentence: boolean };

function tokensOf(text: string): Token[] {
  const whole = tidied(text);
  let [end, startsSentence] = [0, true];
  return [...whole.matchAll(TOKEN)].map(({ 0: found, index }) => {
    const token = { text: found, key: keyOf(found), isApart: index > end, startsSentence };
    end = index + found.length;
    startsSentence = /[.:!?]/.test(found) && !isWord(found);
    return token;
  });
}

const keyOf = (token: string): string =>
  token
    .replace(/[‐‑]/g, '-')
    .replace(/^[–—−-]$/, '-')
    .replace(/[”“„"«»]/, '”')
    .replace(/[’‘']/, '’');

const written = (tokens: readonly Token[]): string =>
  tokens.map(({ text, isApart }) => (isApart ? ` ${text}` : text)).join('');

/** `at` is the place among the old tokens that it begins at. */
type Edit = { kind: Piece['kind']; tokens: Token[]; at: number };

function editsBetween(before: readonly Token[], after: readonly Token[]): Edit[] {
  let at = 0;
  const comparator = (one: Token, other: Token) => one.key === other.key;
  return diffArrays([...before], [...after], { comparator }).map(({ value, added, removed }) => {
    const edit: Edit = { kind: added ? 'added' : removed ? 'gone' : 'same', tokens: value, at };
    if (!added) at += value.length;
    return edit;
  });
}

/**
 * A rule is touched by a word of its own that is gone, and by words that were put in next to its own, unless they are
 * a sentence of their own.
 */
function isTouched(rule: Rule, before: readonly Token[], edits: readonly Edit[]): boolean {
  const own = placesOf(tokensOf(rule.text), before);
  return edits.some(({ kind, tokens, at }) => {
    if (kind === 'same' || !tokens.some(({ text }) => isWord(text))) return false;
    if (kind === 'gone') return tokens.some(({ text }, index) => isWord(text) && own.has(at + index));
    const [left, right, last] = [before[at - 1], before[at], tokens.at(-1)];
    const goesOn = left !== undefined && isWord(left.text) && own.has(at - 1);
    const isTakenOn = right !== undefined && isWord(right.text) && own.has(at);
    return goesOn || (isTakenOn && last !== undefined && isWord(last.text));
  });
}

/** Where the words of a rule stand in its paragraph. A word alone may be another sentence's. */
function placesOf(rule: readonly Token[], paragraph: readonly Token[]): ReadonlySet<number> {
  const comparator = (one: Token, other: Token) => one.key.toLowerCase() === other.key.toLowerCase();
  const runs: number[][] = [];
  let at = 0;
  for (const { value, added, removed } of diffArrays([...rule], [...paragraph], { comparator })) {
    if (removed) continue;
    const start = at;
    at += value.length;
    if (!added) runs.push(value.map((_, index) => start + index));
  }
  const long = runs.filter((run) => run.length > 1);
  return new Set((long.length > 0 ? long : runs).flat());
}

/** What the old paragraph said and the new one does not, that a text may be saying still. */
type Lost = {
  numbers: ReadonlySet<string>;
  names: ReadonlySet<string>;
  words: ReadonlySet<string>;
  numbersIn: NumbersIn;
};

function lostIn(edits: readonly Edit[], old: string, now: string, numbersIn: NumbersIn): Lost {
  const gone = edits.filter(({ kind }) => kind === 'gone').flatMap(({ tokens }) => tokens);
  const kept = new Set(wordsIn(now));
  const isName = ({ text, startsSentence }: Token) => /\p{Lu}/u.test(startsSentence ? text.slice(1) : text);
  const formsOf = (text: string) => numbersIn(text).flatMap(({ number, parts }) => [number, ...parts]);
  const still = new Set(formsOf(now));
  const words = gone.map(({ text }) => text.toLocaleLowerCase('sv')).filter((word) => isWord(word) && !kept.has(word));
  return {
    numbers: new Set(formsOf(old).filter((number) => !still.has(number))),
    names: new Set(
      gone
        .filter(isName)
        .map(({ text }) => text)
        .filter((name) => !kept.has(name.toLocaleLowerCase('sv'))),
    ),
    words: new Set(words),
    numbersIn,
  };
}

function citing({ lines, visits, openings }: Written, rules: readonly Resting[], lost: Lost): CitingLine[] {
  return [...lines.values(), ...visits.values(), ...openings]
    .flatMap((line): CitingLine[] => {
      const cited = rules.filter(({ rule }) => line.cites.includes(rule.id));
      if (cited.length === 0) return [];
      const { sentence, at, says } = nearestSentence(line, cited, lost);
      return [
        {
          name: line.name,
          file: line.file,
          at,
          sentence,
          rules: cited.map(({ rule }) => rule.id),
          isTouched: cited.some((each) => each.isTouched),
          says,
        },
      ];
    })
    .sort(
      (one, other) =>
        Number(other.isTouched) - Number(one.isTouched) ||
        Math.sign(other.says.length) - Math.sign(one.says.length) ||
        one.file.localeCompare(other.file) ||
        one.at - other.at,
    );
}

function nearestSentence(line: Line, cited: readonly Resting[], { numbers, names, words, numbersIn }: Lost) {
  const touched = cited.filter((each) => each.isTouched);
  const near = new Set((touched.length > 0 ? touched : cited).flatMap(({ rule }) => beginningsIn(rule.text)));
  const gone = new Set([...words].map(beginningOf));
  const sentences = sentencesIn(line).map(({ sentence, at }) => {
    const said = wordsIn(sentence);
    const counted = numbersIn(sentence).filter(({ number, parts }) =>
      [number, ...parts].some((each) => numbers.has(each)),
    );
    const named = [...names].filter((name) => said.includes(name.toLocaleLowerCase('sv')));
    const beginnings = [...new Set(beginningsIn(sentence))];
    return {
      sentence,
      at,
      says: [...new Set([...counted.map((each) => each.written), ...named])],
      nearness:
        beginnings.filter((each) => near.has(each)).length + 2 * beginnings.filter((each) => gone.has(each)).length,
    };
  });
  const [nearest] = sentences.sort(
    (one, other) => other.says.length - one.says.length || other.nearness - one.nearness || one.at - other.at,
  );
  return nearest ?? { sentence: line.written, at: line.textAt, says: [] };
}

/** Words of some length by how they begin, which is the same whatever form they have. */
const beginningsIn = (text: string): string[] =>
  wordsIn(text)
    .filter((word) => word.length > 3)
    .map(beginningOf);
const beginningOf = (word: string): string => word.slice(0, 6);

/** Of a text, its sentences; of a visit or an office, what stands on each row. */
function sentencesIn({ written: text, textAt, file }: Line): { sentence: string; at: number }[] {
  const ends = file === 'visits.yaml' || file === 'offices.yaml' ? /\n+/g : /(?<=[.?!:])\s+|\n\s*\n|\n(?=\s*-\s)/g;
  const breaks = [...text.matchAll(ends)].map(({ 0: found, index }) => ({ from: index, to: index + found.length }));
  const starts = [0, ...breaks.map(({ to }) => to)];
  return starts
    .map((start, index) => ({
      sentence: tidied(text.slice(start, breaks[index]?.from)),
      at: textAt + text.slice(0, start).split('\n').length - 1,
    }))
    .filter(({ sentence }) => sentence !== '');
}

/** Paragraphs of the old page and of the copy that are the same, by their places; where one of both is empty, it has none. */
type Group = { old: number[]; now: number[] };

/** How alike two paragraphs have to be to be taken for the same: between two that are unchanged, and anywhere. */
const ALIKE_IN_PLACE = 0.3;
const ALIKE = 0.55;
/** How much more alike they have to become for a part to be added to them. */
const GAIN = 0.005;

/** In the order of the old page, with what is new after what it follows. */
function align(old: readonly string[], now: readonly string[]): Group[] {
  const [oldKeys, nowKeys] = [old.map(wholeKey), now.map(wholeKey)];
  const alikeByLasting = createLikeness(old, now, lastingWordsIn);
  const alikeByAll = createLikeness(old, now, wordsIn);
  const groups: Group[] = [];
  const [freeOld, freeNow] = [new Set(old.keys()), new Set(now.keys())];
  const pair = (one: number, other: number) => {
    groups.push({ old: [one], now: [other] });
    freeOld.delete(one);
    freeNow.delete(other);
  };

  // The same words in the same order; then the same words elsewhere.
  let [at, to] = [0, 0];
  for (const { count, added, removed } of diffArrays(oldKeys, nowKeys)) {
    if (!added && !removed) for (let index = 0; index < count; index++) pair(at + index, to + index);
    if (!added) at += count;
    if (!removed) to += count;
  }
  const anchors = [...groups];
  for (const one of [...freeOld]) {
    const other = [...freeNow].find((index) => nowKeys[index] === oldKeys[one]);
    if (other !== undefined) pair(one, other);
  }

  // Those that are most alike first; of several, the one that has moved least.
  const gapOf = (side: keyof Group, place: number) => anchors.filter((anchor) => (anchor[side][0] ?? 0) < place).length;
  const gapsNow = new Map([...freeNow].map((other) => [other, gapOf('now', other)]));
  const candidates = [...freeOld].flatMap((one) => {
    const gap = gapOf('old', one);
    return [...freeNow].flatMap((other) => {
      const isInPlace = gapsNow.get(other) === gap;
      const alike = alikeByLasting([one], [other]);
      const way = Math.abs(gap - (gapsNow.get(other) ?? 0));
      return alike >= (isInPlace ? ALIKE_IN_PLACE : ALIKE)
        ? [{ one, other, alike: alike + (isInPlace ? 0.1 : 0), way }]
        : [];
    });
  });
  candidates.sort((a, b) => b.alike - a.alike || a.way - b.way || a.one - b.one || a.other - b.other);
  for (const { one, other } of candidates) if (freeOld.has(one) && freeNow.has(other)) pair(one, other);

  join('old', freeOld);
  join('now', freeNow);

  const ordered = [...groups, ...[...freeOld].map((one) => ({ old: [one], now: [] }))].sort(
    (one, other) => (one.old[0] ?? 0) - (other.old[0] ?? 0),
  );
  for (const place of [...freeNow].sort((one, other) => one - other)) {
    const after = ordered.findIndex((group) => group.now.includes(place - 1));
    ordered.splice(after + 1, 0, { old: [], now: [place] });
  }
  return ordered;

  /** What is left over may be a part of a paragraph that was divided, or that two were made one of. */
  function join(side: keyof Group, free: Set<number>) {
    for (let isDone = false; !isDone;) {
      isDone = true;
      for (const place of [...free]) {
        const joined = groups
          .filter((group) => group[side].some((index) => Math.abs(index - place) === 1))
          .map((group) => {
            const wider = { ...group, [side]: [...group[side], place].sort((one, other) => one - other) };
            return { group, wider, gain: alikeByAll(wider.old, wider.now) - alikeByAll(group.old, group.now) };
          })
          .sort((one, other) => other.gain - one.gain)[0];
        if (!joined || joined.gain < GAIN) continue;
        Object.assign(joined.group, joined.wider);
        free.delete(place);
        isDone = false;
      }
    }
  }
}

const wholeKey = (text: string): string =>
  tokensOf(text)
    .map(({ key }) => key)
    .join(' ');

/** A paragraph is known again by its words, not by its numbers and days, which are what changes. */
function lastingWordsIn(text: string): string[] {
  const words = wordsIn(text);
  const lasting = words.filter((word) => !/^\d/.test(word) && !isMonth(word));
  return lasting.length > 0 ? lasting : words;
}

/** From 0 to 1: how much of their words two groups of paragraphs share. What many paragraphs say counts little. */
function createLikeness(old: readonly string[], now: readonly string[], wordsOf: (text: string) => string[]) {
  const [oldWords, nowWords] = [old.map(wordsOf), now.map(wordsOf)];
  const counts = new Map<string, number>();
  for (const words of [...oldWords, ...nowWords]) {
    for (const word of new Set(words)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const all = old.length + now.length;
  const weightOf = (word: string) => Math.log(1 + all / (counts.get(word) ?? 1));
  const weigh = (words: readonly string[]) => words.reduce((sum, word) => sum + weightOf(word), 0);
  return (olds: readonly number[], nows: readonly number[]): number => {
    const one = olds.flatMap((index) => oldWords[index] ?? []);
    const other = nows.flatMap((index) => nowWords[index] ?? []);
    const left = new Map<string, number>();
    for (const word of other) left.set(word, (left.get(word) ?? 0) + 1);
    const shared = one.filter((word) => {
      const count = left.get(word) ?? 0;
      left.set(word, count - 1);
      return count > 0;
    });
    const whole = weigh(one) + weigh(other);
    return whole === 0 ? 0 : (2 * weigh(shared)) / whole;
  };
}

/** All but the longest row of paragraphs that stand in the order they stood in. */
function movedOf(groups: readonly Group[]): ReadonlySet<Group> {
  const both = groups.filter(({ old, now }) => old.length > 0 && now.length > 0);
  const best: { group: Group; length: number; before: number }[] = [];
  for (const group of both) {
    const place = group.now[0] ?? 0;
    let [length, before] = [1, -1];
    best.forEach((each, index) => {
      if ((each.group.now[0] ?? 0) < place && each.length >= length) [length, before] = [each.length + 1, index];
    });
    best.push({ group, length, before });
  }
  const longest = Math.max(0, ...best.map(({ length }) => length));
  const kept = new Set<Group>();
  for (let index = best.findIndex(({ length }) => length === longest); index >= 0;) {
    const each = best[index];
    if (!each) break;
    kept.add(each.group);
    index = each.before;
  }
  return new Set(both.filter((group) => !kept.has(group)));
}
