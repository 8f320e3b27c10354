/**
 * Switches that are turned off and on at two processes on one database, while
 * students write: the whole bot, a path, and the ledger; and the path that a
 * student has in hand who is about to say yes.
 */
import { expect, it } from '@jest/globals';
import type { Client } from 'pg';
import { switchOff, switchOn, watchSwitches } from '../../src/operations/switches.ts';
import { openTestDatabase } from '../database/database.ts';
import { content } from '../product.ts';
import { copyBuild, isLong, nobodyAtTheDesk, type Product, runToItsEnd, startProduct } from './built-product.ts';
import { createChance } from './chance.ts';
import { findViolations } from './checker.ts';
import { startDatabaseServer, withClient } from './database-server.ts';
import { type Chat, noCounts, openChat, type Shown } from './direct-line-chat.ts';
import { type Aftermath, hammer } from './hammer.ts';
import { REVOKED } from './ledger-records.ts';
import { plain, secrets } from './script.ts';
import { setStage } from './stage.ts';

/** What is switched off and on meanwhile, one after the other. So few write so little that nobody of them revokes. */
const TURNED = isLong
  ? ['bot', 'pin-trouble', 'ledger', 'order', 'bot', 'what-is-card', 'bot']
  : ['bot', 'pin-trouble'];
/** What is written to see whether it is in effect, and what is answered then: off, and on again. */
const TRIED = {
  bot: ['hej', 'switches/botIsOff', 'conversation/greeting'],
  'pin-trouble': ['jag har slagit fel kod tre gånger', 'switches/pathIsOff', 'pin-trouble/askingHasPuk'],
  'lost-card': ['kortet är stulet', 'switches/revocationIsOff', 'lost-card/awaitingSignIn'],
} as const satisfies Record<string, [text: string, off: string, on: string]>;
const triedBy = new Map<string, readonly [string, string, string]>(Object.entries(TRIED));
const scale = { seed: 20_261_130, conversations: isLong ? 20 : 3, messages: 7, kills: 0 };
/** In milliseconds: a second and what a busy machine takes; and altogether. */
const IN_EFFECT = 10_000;
const PATIENCE = 600_000;

const BECAUSE = { by: 'whoever is on call', reason: 'to see that it can be done' };
const { server, begin } = setStage(startDatabaseServer, PATIENCE);

it(
  'every message is answered once while switches are turned, and nothing is revoked on a yes that comes after',
  async () => {
    const url = await server().create();
    const home = copyBuild(server().folder);
    const environment = () => ({ DATABASE_URL: url, ...nobodyAtTheDesk });
    const product = await begin(startProduct(home, { command: ['serve'], name: 'process', count: 2, environment }));
    const database = await openTestDatabase(url);
    const command = (...words: string[]) => runToItsEnd(home, ['switch', ...words], { DATABASE_URL: url });
    await withClient(url, async (rows) => {
      const students = studentsOf(product);
      const confirming = await students.confirming();
      const now = { isTurning: true };
      const probes = await Promise.all(product.origins.map((_, nth) => students.open(`probe${nth}`, nth)));
      /** Resolves when what is written to either of them is answered so. */
      const both = async (text: string, line: string): Promise<void> => {
        await Promise.all(probes.map((probe, nth) => hears(probe, text, line, product.origins[nth])));
      };
      const turning = (async () => {
        for (const name of TURNED) {
          const [text, off, on] = triedBy.get(name) ?? [];
          await switchOff(database, name, BECAUSE);
          if (text && off) await both(text, off);
          await switchOn(database, name, BECAUSE);
          if (text && on) await both(text, on);
        }
      })().finally(() => (now.isTurning = false));
      const rounds: Aftermath[] = [];
      while (now.isTurning)
        rounds.push(await hammer(product, rows, url, { ...scale, seed: scale.seed + 1_000 * rounds.length }));
      await turning;

      const [wish, isOff, isOn] = TRIED['lost-card'];
      const turn = (to: string) => command(to, 'lost-card', '--by', BECAUSE.by, '--reason', BECAUSE.reason);
      expect(await turn('off')).toEqual({ status: 0, told: 'lost-card is off.\n' });
      await both(wish, isOff);
      expect(await saysYes(confirming, product.origins[1])).toContain(content.label('switches/revocationIsOff'));
      expect(await revokedIn(rows)).toBe(0);
      expect(await turn('on')).toEqual({ status: 0, told: 'lost-card is on.\n' });
      await both(wish, isOn);
      await confirming.write([plain('tillbaka')]);
      await confirming.until(asksForYes, 'the card to be read back again');
      expect(await saysYes(confirming, product.origins[0])).toMatch(/\bS(-[0-9A-F]{4}){3}\b/);
      expect(await revokedIn(rows)).toBe(1);

      const all = [...rounds.flatMap(({ testimonies }) => testimonies), ...[confirming, ...probes].map(testimonyOf)];
      const undone = rounds.flatMap((round) => round.undone);
      const violations = [...undone, ...(await findViolations({ product: rows, ledger: rows }, all, secrets))];
      const silent = await countOf(
        rows,
        "select count(*)::integer from messages where said ->> 'line' = 'switches/botIsOff'",
      );
      const written = rounds.reduce((sum, { tally }) => sum + tally.messages, 0);
      process.stderr.write(
        `switches: ${written} messages, ${silent} of them in silence, ${violations.length} violations\n`,
      );
      // Only that a switch was turned, which each of them tells.
      const logged = product.logged().filter((line) => !line.includes('"switches"'));
      expect({ violations, logged }).toEqual({ violations: [], logged: [] });
      expect(silent).toBeGreaterThan(2);
      const { told } = await command('log');
      const changes = told
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { name: string; is_off: boolean });
      const turned = [...TURNED, 'lost-card'].flatMap((name) => [`${name} off`, `${name} on`]);
      expect(changes.map(({ name, is_off }) => `${name} ${is_off ? 'off' : 'on'}`)).toEqual(turned);
    });
    await database.close();
  },
  PATIENCE,
);

it('a process that cannot read the switches keeps what it knew, and every change stays in the audit', async () => {
  const url = await server().create();
  const database = await openTestDatabase(url);
  await switchOff(database, 'order', BECAUSE);
  const told: string[][] = [];
  const switches = await watchSwitches(database, (off) => told.push([...off]));
  await withClient(url, async (rows) => {
    await rows.query('alter table switches rename to elsewhere');
    await switches.read();
    expect([[...switches.off()], switches.isReached()]).toEqual([['order'], false]);
    await rows.query('alter table elsewhere rename to switches');
    await switchOff(database, 'order', { ...BECAUSE, reason: 'another' });
    expect(await switchOn(database, 'bot', BECAUSE)).toBe(false);
    expect(await switchOn(database, 'order', BECAUSE)).toBe(true);
    await switches.read();
    expect([[...switches.off()], switches.isReached()]).toEqual([[], true]);
    await expect(rows.query("update switch_audit set reason = 'none'")).rejects.toThrow('only added to');
    await expect(rows.query('truncate switch_audit')).rejects.toThrow('only added to');
    const { rows: kept } = await rows.query('select name, is_off, switched_by, reason from switch_audit order by id');
    const by = { name: 'order', switched_by: BECAUSE.by };
    expect(kept).toEqual([
      { ...by, is_off: true, reason: BECAUSE.reason },
      { ...by, is_off: true, reason: 'another' },
      { ...by, is_off: false, reason: BECAUSE.reason },
    ]);
  });
  expect(told).toEqual([['order'], []]);
  await switches.close();
  await database.close();
});

function studentsOf({ origins }: Product) {
  const open = (name: string, nth: number): Promise<Chat> =>
    openChat(name, origins[nth] ?? '', {
      ...{ origins, chance: createChance(scale.seed + nth), counts: noCounts(), avoided: new Map(), patience: 60_000 },
      onAcknowledged: () => undefined,
    });
  return {
    open,
    /** Somebody who has proved who they are, and to whom their card has been read back. */
    async confirming(): Promise<Chat> {
      const chat = await open('confirming', 0);
      await chat.write([plain('kortet är stulet')]);
      await chat.until((seen) => seen.some(({ link }) => link !== undefined), 'a link to sign in by');
      const link = chat.testimony.seen.flatMap((each) => each.link ?? [])[0] ?? '';
      await chat.write([plain((await chat.signIn(link, 'active')) ?? 'ingen kod')]);
      await chat.until(asksForYes, 'the card to be read back');
      return chat;
    },
  };
}

const asksForYes = (seen: readonly Shown[]): boolean => seen.at(-1)?.suggests.join() === 'Ja,Nej';
const testimonyOf = ({ testimony }: Chat) => testimony;

/** What is answered to a yes, by the process at an address. */
async function saysYes(chat: Chat, at = ''): Promise<string> {
  chat.testimony.saidYes = true;
  const sent = await chat.write([plain('ja')], at);
  await chat.until(() => chat.isAnswered(sent), 'an answer to the yes');
  await chat.until(
    (seen) => seen.at(-1)?.author === 'bot' && !seen.at(-1)?.text.includes('spärrar kortet nu'),
    'how it went',
  );
  return chat
    .since(sent)
    .map(({ text }) => text)
    .join('\n');
}

/** Writes to one process until it is answered so, and has waited no longer than it takes to be in effect. */
async function hears(chat: Chat, text: string, line: string, at: string | undefined): Promise<void> {
  const since = performance.now();
  for (;;) {
    const sent = await chat.write([plain(text)], at);
    await chat.until(() => chat.isAnswered(sent), `an answer to ${text}`);
    if (chat.since(sent).some((shown) => shown.text.includes(content.label(line)))) break;
  }
  expect(performance.now() - since).toBeLessThan(IN_EFFECT);
}

const revokedIn = async (rows: Client): Promise<number> => (await rows.query(REVOKED)).rowCount ?? 0;
const countOf = async (rows: Client, text: string): Promise<number> =>
  (await rows.query<{ count: number }>(text)).rows[0]?.count ?? 0;
