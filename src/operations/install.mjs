/**
 * Installs this clone beside the versions before it, and goes back:
 *
 *   node src/operations/install.mjs --to /opt/kortlotsen
 *   node src/operations/install.mjs --to /opt/kortlotsen --back
 *
 * A version is a folder of its own in `releases`, whole before anybody is led
 * there. `current` leads to the one in use and `previous` to the one before, and
 * each is changed in one step. What runs goes on in the folder it was started
 * from until it is started anew.
 *
 * `--as-built` takes `dist` and `node_modules` of the clone as they are. For a
 * server that reaches no registry: on another machine of the same kind,
 * `npm ci && npm prune --omit=dev`, copy the clone, and install it so.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, lstat, mkdir, readFile, readlink, rename, rm, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';

const run = promisify(execFile);
const clone = join(import.meta.dirname, '../..');

const SOURCES = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'LICENSE',
  'README.md',
  'content',
  'dialogs',
  'src',
];
const BUILT = ['dist', 'node_modules'];

const { values } = parseArgs({
  options: {
    to: { type: 'string' },
    name: { type: 'string' },
    'as-built': { type: 'boolean', default: false },
    back: { type: 'boolean', default: false },
  },
});

async function install(prefix, name, isBuilt) {
  if (!/^[A-Za-z0-9][\w.+-]*$/.test(name))
    throw new Error(`${name} cannot be the name of a folder; give another --name.`);
  const release = join(prefix, 'releases', name);
  if (await isThere(release)) throw new Error(`${release} is there already; give another --name, or remove it.`);
  const draft = `${release}.partial`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  try {
    for (const each of [...SOURCES, ...(isBuilt ? BUILT : [])]) {
      await cp(join(clone, each), join(draft, each), { recursive: true, verbatimSymlinks: true });
    }
    if (!isBuilt) {
      // It builds, and trains the understanding, with this Node.
      await npm(draft, 'ci');
      await npm(draft, 'prune', '--omit=dev', '--ignore-scripts');
    }
    // What cannot read its own content would not start either. It also keeps what it has read, for starts to be quick.
    await run(process.execPath, [join(draft, 'dist/kortlotsen.js'), 'train'], { cwd: draft });
    // Whoever runs it is not who has installed it.
    await run('chmod', ['-R', 'u=rwX,go=rX', draft]);
    await run('chmod', ['a+rX', prefix, join(prefix, 'releases')]);
    await rename(draft, release);
  } catch (problem) {
    await rm(draft, { recursive: true, force: true });
    throw problem;
  }
  const before = await targetOf(join(prefix, 'current'));
  if (before !== undefined) await lead(join(prefix, 'previous'), before);
  await lead(join(prefix, 'current'), join('releases', name));
  console.log(`${name} is installed, and ${join(prefix, 'current')} leads to it.`);
  console.log('Start each instance anew, one after the other.');
}

async function goBack(prefix) {
  const [now, before] = await Promise.all(['current', 'previous'].map((link) => targetOf(join(prefix, link))));
  if (now === undefined || before === undefined) throw new Error(`There is no version to go back to in ${prefix}.`);
  await lead(join(prefix, 'current'), before);
  await lead(join(prefix, 'previous'), now);
  console.log(`${join(prefix, 'current')} leads to ${before} again.`);
  console.log('Start each instance anew, one after the other.');
}

/** The version and, in a clone, which commit it is. */
async function nameOfClone() {
  const { version } = JSON.parse(await readFile(join(clone, 'package.json'), 'utf8'));
  const commit = await run('git', ['-C', clone, 'rev-parse', '--short=10', 'HEAD']).then(
    ({ stdout }) => `-${stdout.trim()}`,
    () => '',
  );
  return `${version}${commit}`;
}

/** It says itself what it does, which takes a while. */
async function npm(cwd, ...args) {
  const [code] = await once(spawn('npm', args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] }), 'close');
  if (code !== 0) throw new Error(`npm ${args.join(' ')} has failed, so nothing is installed.`);
}

const isThere = (path) =>
  lstat(path).then(
    () => true,
    () => false,
  );

const targetOf = (link) => readlink(link).catch(() => undefined);

/** A link is made beside its place and moved there, so that it is never missing. */
async function lead(link, target) {
  const draft = `${link}.new`;
  await rm(draft, { force: true });
  await symlink(target, draft);
  await rename(draft, link);
}

/** Whatever is in the way is one sentence, and nobody is led anywhere new. */
try {
  if (values.to === undefined) throw new Error('Say where to install, as --to /opt/kortlotsen.');
  const prefix = resolve(values.to);
  await (values.back ? goBack(prefix) : install(prefix, values.name ?? (await nameOfClone()), values['as-built']));
} catch (problem) {
  console.error(problem instanceof Error ? problem.message : problem);
  process.exitCode = 1;
}
