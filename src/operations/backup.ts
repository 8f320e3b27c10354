/**
 * A backup: a folder with a file for each table and `manifest.json`, which says
 * what they are of and how to know that they are whole.
 *
 * It holds what people have written and who they are, so nobody else may read
 * it, and whoever keeps it is answerable for it. It is of one moment, and is
 * there when it is whole, never before.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdtemp, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { Presets, SingleBar } from 'cli-progress';
import { z } from 'zod';
import { createEventStore } from '../ledger/event-store.ts';
import { StartupProblem } from '../startup-problem.ts';
import { type Filling, fillEmpty, type Moment, readMoment, type Table } from '../storage/copying.ts';
import { type Migrations, migrationsIn } from '../storage/migration.ts';

/**
 * Tables that are not in it, and why. Every other table is, so one that is new
 * is not forgotten.
 */
export const leftOut: Readonly<Record<string, string>> = {
  migrations: 'which have been made is in the manifest, and they are made anew',
  ledger_migrations: 'as above',
  cache: 'what may be forgotten',
  limits: 'what may be forgotten',
  sessions: 'who is signed in at the servicedesk: they may have signed out since',
  sign_ins: 'sign-ins on their way: they may have been used since',
  invitations: 'ways in to a chat: they may have been used since',
};

const Name = z.string().regex(/^[a-z_][a-z0-9_]*$/);
const Count = z.int().min(0);
const Hash = z.string().regex(/^[0-9a-f]{64}$/);

const Manifest = z.strictObject({
  format: z.literal(1, 'is of a format that this version does not know'),
  /** When, and by which version of the product. */
  at: z.iso.datetime(),
  version: z.string(),
  /** What had been made of each series of migrations, by the table that tells it. */
  migrations: z.record(Name, z.array(z.string().regex(/^[\w-]+$/))),
  /** In the order they are filled in. `bytes` and `sha256` are of the file. */
  tables: z.array(z.strictObject({ name: Name, columns: z.array(Name), rows: Count, bytes: Count, sha256: Hash })),
  sequences: z.record(Name, z.string().regex(/^\d{1,19}$/)),
  /** Of the card ledger, if it is here. */
  head: z.strictObject({ position: Count, hash: Hash }).optional(),
});
export type Manifest = z.infer<typeof Manifest>;

const MANIFEST = 'manifest.json';
const fileOf = ({ name }: { name: string }): string => `${name}.copy.gz`;

/** What is told of how far it has come. */
export type Progress = NodeJS.WritableStream;

export type BackupWorld = {
  url: string;
  /** The tables that tell which migrations have been made. */
  migrations: readonly Migrations[];
  version: string;
  now: () => Date;
  progress: Progress;
};

/** Writes a folder that is not there yet. */
export async function backUp(wanted: string, world: BackupWorld): Promise<Manifest> {
  const folder = resolve(wanted);
  if (existsSync(folder)) throw new Error(`There is something at ${folder} already, and a backup overwrites nothing.`);
  // Readable by its owner alone, as such folders are made.
  const draft = await mkdtemp(join(dirname(folder), `${basename(folder)}.partial-`)).catch((problem: unknown) => {
    throw new Error(`No folder can be made in ${dirname(folder)}.`, { cause: problem });
  });
  try {
    const manifest = await readMoment(world.url, (moment) => writeAll(draft, moment, world));
    await writeWhole(join(draft, MANIFEST), `${JSON.stringify(manifest, undefined, 2)}\n`);
    await keepWritten(draft);
    await rename(draft, folder);
    await keepWritten(dirname(folder));
    return manifest;
  } catch (problem) {
    await rm(draft, { recursive: true, force: true });
    throw problem;
  }
}

async function writeAll(draft: string, moment: Moment, world: BackupWorld): Promise<Manifest> {
  const at = world.now().toISOString();
  const kept = moment.tables.filter(({ name }) => !(name in leftOut));
  if (kept.length === 0) throw new Error('There is nothing to back up: the database has no tables of ours.');
  const total = kept.reduce((sum, { size }) => sum + size, 0);
  const tables = await withBar('Backing up', total, world.progress, async (bar) => {
    const done: Manifest['tables'] = [];
    for (const table of kept) done.push(await writeTable(draft, table, moment, bar));
    return done;
  });
  const isThere = (table: string) => moment.tables.some(({ name }) => name === table);
  const made: [string, string[]][] = [];
  for (const { table } of world.migrations.filter((each) => isThere(each.table))) {
    const rows = await moment.run<{ name: string }>({ text: `select name from ${table} order by id` }, []);
    made.push([table, rows.map(({ name }) => name)]);
  }
  const head = isThere('ledger_head') ? await createEventStore(moment).head() : undefined;
  const { sequences } = moment;
  const migrations = Object.fromEntries(made);
  return Manifest.parse({
    format: 1,
    at,
    version: world.version,
    migrations,
    tables,
    sequences,
    head: head && { position: head.position, hash: head.hash },
  });
}

async function writeTable(
  draft: string,
  table: Table,
  moment: Moment,
  bar: SingleBar,
): Promise<Manifest['tables'][number]> {
  const { name, columns, size } = table;
  const rows = moment.read(table);
  let told = 0;
  // What a table takes on disk is not what its rows take.
  const read = measuring((length) => {
    const more = Math.min(length, size - told);
    told += more;
    bar.increment(more);
  });
  const written = measuring();
  const file = createWriteStream(join(draft, fileOf(table)), { flags: 'wx', mode: 0o600, flush: true });
  await pipeline(rows, read.stream, createGzip(), written.stream, file);
  bar.increment(size - told);
  return { name, columns, rows: rows.rowCount, ...written.result() };
}

async function readManifest(folder: string): Promise<Manifest> {
  const text = await readFile(join(folder, MANIFEST), 'utf8').catch(() => {
    throw new Error(`There is no backup in ${folder}: it has no ${MANIFEST}.`);
  });
  const { data, error } = Manifest.safeParse(parsed(text));
  if (data) return data;
  const where = error.issues.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`);
  throw new Error(`The ${MANIFEST} in ${folder} is not as it was written (${where.join('; ')}).`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function requireWhole(folder: string, { tables }: Manifest, progress: Progress): Promise<void> {
  await withBar('Checking', bytesOf(tables), progress, async (bar) => {
    for (const table of tables) {
      const file = join(folder, fileOf(table));
      const read = measuring((length) => {
        bar.increment(length);
      });
      await pipeline(createReadStream(file), read.stream, nowhere()).catch((problem: unknown) => {
        throw new Error(`${file} cannot be read, so nothing was restored.`, { cause: problem });
      });
      if (read.result().sha256 !== table.sha256)
        throw new Error(`${file} is not as it was written, so nothing was restored.`);
    }
  });
}

const bytesOf = (tables: Manifest['tables']): number => tables.reduce((sum, { bytes }) => sum + bytes, 0);

export type RestoreWorld = { url: string; migrations: readonly Migrations[]; progress: Progress };

/** Fills an empty database. It is as old then as the backup: the next start brings it up to date. */
export async function restore(folder: string, { url, migrations, progress }: RestoreWorld): Promise<Manifest> {
  const manifest = await readManifest(folder);
  const series = await seriesOf(manifest, migrations);
  await requireWhole(folder, manifest, progress);
  const { tables, sequences } = manifest;
  const fill = (filling: Filling) =>
    withBar('Restoring', bytesOf(tables), progress, async (bar) => {
      for (const table of tables) {
        const read = measuring((length) => {
          bar.increment(length);
        });
        const rows = await filling.write(table);
        await pipeline(createReadStream(join(folder, fileOf(table))), read.stream, createGunzip(), rows);
        if (rows.rowCount !== table.rows)
          throw new Error(`${table.name} has ${rows.rowCount} rows, and had ${table.rows}; nothing was restored.`);
      }
      await filling.setSequences(sequences);
      return true;
    });
  const isFilled = await fillEmpty(url, series, fill);
  if (!isFilled)
    throw new Error('The database is not empty. Make a new one for what is restored, so that nothing is lost.');
  return manifest;
}

/** The migrations that had been made, of those we know. */
async function seriesOf({ migrations: made, version }: Manifest, all: readonly Migrations[]): Promise<Migrations[]> {
  const series: Migrations[] = [];
  for (const { folder, table } of all) {
    const only = made[table];
    if (only === undefined) continue;
    const known = await migrationsIn(folder);
    const unknown = only.find((name) => !known.includes(name));
    if (unknown !== undefined)
      throw new StartupProblem(
        'databaseIsBroken',
        `The backup is of version ${version}, and this one is too old for it (it does not know migration ${unknown}); restore it with that version, or a newer one.`,
      );
    series.push({ folder, table, only });
  }
  return series;
}

/** Lets everything by, and tells what it was. */
function measuring(onBytes: (length: number) => void = () => undefined) {
  const hash = createHash('sha256');
  let bytes = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      onBytes(chunk.length);
      done(undefined, chunk);
    },
  });
  return { stream, result: () => ({ bytes, sha256: hash.digest('hex') }) };
}

const nowhere = (): Writable =>
  new Writable({
    write(_chunk, _encoding, done) {
      done();
    },
  });

async function withBar<Result>(
  what: string,
  total: number,
  stream: Progress,
  work: (bar: SingleBar) => Promise<Result>,
): Promise<Result> {
  const bar = new SingleBar({ stream, format: `${what} {bar} {percentage} %` }, Presets.shades_classic);
  bar.start(total, 0);
  try {
    return await work(bar);
  } finally {
    bar.stop();
  }
}

async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(file, text, { flag: 'wx', mode: 0o600, flush: true });
}

/** Whatever is in a folder is there after a power cut. */
async function keepWritten(folder: string): Promise<void> {
  const handle = await open(folder);
  await handle.sync();
  await handle.close();
}
