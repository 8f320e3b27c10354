/** The scripts of our pages, served so that browsers may keep them for ever. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';
import type { Request, Response, Server } from 'restify';

/** Serves a script under a name that changes with it, so that browsers may keep it for ever. Returns its address. */
export async function mountScript(server: Server, folder: string, name: string): Promise<string> {
  const script = await readFile(join(folder, name));
  const address = `/assets/${createHash('sha256').update(script).digest('hex').slice(0, 16)}/${name}`;
  serveScript(server, address, script);
  return address;
}

function serveScript(server: Server, address: string, script: Buffer): void {
  let compressed: Promise<Buffer> | undefined;
  const compress = () =>
    (compressed ??= promisify(brotliCompress)(script, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }));

  server.get(address, async (req: Request, res: Response) => {
    const takesBrotli = /\bbr\b/.test(req.header('accept-encoding', ''));
    const sent = takesBrotli ? await compress() : script;
    res.writeHead(200, {
      'Content-Type': 'text/javascript; charset=utf-8',
      'Cache-Control': 'public, max-age=31536000, immutable',
      Vary: 'Accept-Encoding',
      ...(takesBrotli && { 'Content-Encoding': 'br' }),
      'Content-Length': sent.length,
    });
    res.end(sent);
  });
}

/** A folder of scripts that load each other, under an address that changes with any of them. Gives that of each. */
export async function mountFolder(server: Server, folder: string): Promise<(name: string) => string> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.js')).sort();
  const scripts = await Promise.all(names.map((name) => readFile(join(folder, name))));
  const hash = createHash('sha256').update(Buffer.concat(scripts)).digest('hex').slice(0, 16);
  names.forEach((name, index) => {
    const script = scripts[index];
    if (script) serveScript(server, `/assets/${hash}/${name}`, script);
  });
  return (name) => `/assets/${hash}/${name}`;
}
