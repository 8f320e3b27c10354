/** `kortlotsen content replay`: which recorded conversations would be answered differently with another content. */
import { Presets, SingleBar } from 'cli-progress';
import type { Content } from '../content.ts';
import { findRecords } from '../conversations/recorded.ts';
import {
  type Difference,
  type DifferenceKind,
  differenceKinds,
  replay,
  type ReplayWorld,
  type Taken,
} from '../conversations/replay.ts';
import type { Edition } from '../editions.ts';
import type { Database } from '../storage/database.ts';

export type ReplayOptions = { since: Date | undefined; limit: number; isJson: boolean };

type Terminal = { write: (text: string) => Promise<void>; progress: NodeJS.WritableStream };

/** The same difference of the same words is told once, with how often it was found. */
type Counted = Difference & { times: number };

type Report = {
  conversations: number;
  messages: number;
  toHuman: number;
  afterRequest: number;
  differences: Counted[];
  /** By the name of the line, how often it was said and would now be put otherwise. */
  reworded: Record<string, number>;
};

/** Reads only. */
export async function replayContent(
  database: Database,
  editions: readonly [Edition, Edition],
  { since, limit, isJson }: ReplayOptions,
  world: ReplayWorld,
  { write, progress }: Terminal,
): Promise<void> {
  const [{ content }] = editions;
  const { count, records } = await findRecords(database, since, limit);
  const report: Report = { conversations: 0, messages: 0, toHuman: 0, afterRequest: 0, differences: [], reworded: {} };
  const differences = new Map<string, Counted>();
  const bar = new SingleBar(
    {
      stream: progress,
      format: `${content.label('replay/progress')} {bar} {percentage} %  {value}/{total}`,
      clearOnComplete: true,
    },
    Presets.shades_classic,
  );
  bar.start(count, 0);
  for await (const record of records) {
    const replayed = await replay(record, editions, world);
    report.conversations++;
    report.messages += record.messages.length;
    report.toHuman += record.toHuman;
    report.afterRequest += record.afterRequest;
    for (const difference of replayed.differences) {
      const key = JSON.stringify(difference);
      const known = differences.get(key);
      if (known) known.times++;
      else differences.set(key, { ...difference, times: 1 });
    }
    for (const line of replayed.reworded) report.reworded[line] = (report.reworded[line] ?? 0) + 1;
    bar.increment();
  }
  bar.stop();
  report.differences = [...differences.values()].sort(
    (one, other) => rankOf(one.kind) - rankOf(other.kind) || other.times - one.times,
  );
  await write(isJson ? `${JSON.stringify(report, undefined, 2)}\n` : inWords(report, content));
}

const rankOf = (kind: DifferenceKind): number => differenceKinds.indexOf(kind);

function inWords(report: Report, content: Content): string {
  const say = (name: string, facts: Record<string, string | number> = {}): string =>
    content.label(
      `replay/${name}`,
      Object.fromEntries(Object.entries(facts).map(([fact, value]) => [fact, String(value)])),
    );
  const { conversations, messages, toHuman, afterRequest, differences } = report;
  const reworded = Object.entries(report.reworded).sort(([, one], [, other]) => other - one);

  const led = ({ heard, state, lines, cites }: Taken): string => {
    const rules = cites.length > 0 ? ` (${cites.join(', ')})` : '';
    return `${heard.join(' + ') || '–'} → ${state}: ${lines.join(', ') || say('nothingSaid')}${rules}`;
  };
  const told = ({ text, state, times, before, after }: Counted): string[] => [
    `  ${text === undefined ? say('begun') : say('said', { text: inOneRow(text), state })}${times > 1 ? ` ${say('times', { count: times })}` : ''}`,
    `    ${say('before')} ${led(before)}`,
    `    ${say('after')} ${led(after)}`,
  ];
  const sections = differenceKinds.flatMap((kind) => {
    const ofKind = differences.filter((each) => each.kind === kind);
    const count = ofKind.reduce((sum, { times }) => sum + times, 0);
    return ofKind.length > 0 ? ['', say(`kind.${kind}`, { count }), ...ofKind.flatMap(told)] : [];
  });
  const rewording =
    reworded.length > 0
      ? ['', say('reworded'), ...reworded.map(([line, count]) => `  ${say('rewordedLine', { line, count })}`)]
      : [];
  return [
    say('compared', { conversations, messages }),
    ...(afterRequest > 0 ? [say('afterRequest', { count: afterRequest })] : []),
    ...(toHuman > 0 ? [say('toHuman', { count: toHuman })] : []),
    ...(differences.length > 0 ? [say('personal')] : []),
    ...sections,
    ...rewording,
    ...(sections.length + rewording.length === 0 ? ['', say('nothing')] : []),
    '',
  ].join('\n');
}

const inOneRow = (text: string): string => text.replace(/\s+/g, ' ').trim();
