/**
 * A receipt to save: a plain text file, which opens anywhere.
 *
 * Its address holds what the chat has already told, signed, and works for a
 * day. Nothing is looked up, so nothing can be guessed at.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Next, Request, Response, Server } from 'restify';
import { z } from 'zod';
import type { Content, ReceiptInWords } from '../content.ts';
import { escaped, sendPage } from './page.ts';

export type ReceiptFiles = {
  linkTo: (receipt: ReceiptInWords) => string;
  mount: (server: Server) => void;
};

export type ReceiptFilesWorld = {
  content: Pick<Content, 'label'>;
  /** A secret of this installation, the same in all its processes. */
  key: string;
  /** Where browsers reach us. It is known once we listen. */
  publicOrigin: () => string;
  now: () => Date;
};

const PATH = '/receipt';
/** In milliseconds. */
const LIFETIME = 86_400_000;

const Signed = z.object({
  rows: z.array(z.object({ name: z.string(), value: z.string() })).min(1),
  title: z.string(),
  until: z.number(),
});

export const receiptLabels = ['title', 'number', 'card', 'at', 'save', 'saved', 'expired'].map(
  (name) => `receipt/${name}`,
);

export function createReceiptFiles({ content, key, publicOrigin, now }: ReceiptFilesWorld): ReceiptFiles {
  const sign = (written: string): string => createHmac('sha256', key).update(written).digest('base64url');

  const read = (written: string, signature: string): ReceiptInWords | undefined => {
    const [given, right] = [Buffer.from(signature), Buffer.from(sign(written))];
    if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
    const receipt = Signed.parse(JSON.parse(Buffer.from(written, 'base64url').toString()));
    return receipt.until > now().getTime() ? receipt : undefined;
  };

  return {
    linkTo({ title, rows }) {
      const signed: z.infer<typeof Signed> = { title, rows, until: now().getTime() + LIFETIME };
      const written = Buffer.from(JSON.stringify(signed)).toString('base64url');
      return `${publicOrigin()}${PATH}?${new URLSearchParams({ r: written, s: sign(written) }).toString()}`;
    },
    mount(server) {
      server.get(PATH, (req: Request, res: Response, next: Next) => {
        const query = new URLSearchParams(req.getQuery());
        const receipt = read(query.get('r') ?? '', query.get('s') ?? '');
        if (!receipt) {
          const [title, text] = [content.label('receipt/title'), content.label('receipt/expired')];
          sendPage(res, { title, status: 410, body: `<h1>${escaped(title)}</h1>\n<p>${escaped(text)}</p>` });
          next(false);
          return;
        }
        const [first] = receipt.rows;
        const text = [
          receipt.title,
          ...receipt.rows.map(({ name, value }) => `${name}: ${value}`),
          content.label('receipt/saved'),
        ].join('\r\n\r\n');
        res.sendRaw(200, text, {
          'Content-Type': 'text/plain; charset=utf-8',
          'Content-Disposition': `attachment; filename="kvitto-${(first?.value ?? '').replace(/[^\w-]/g, '')}.txt"`,
        });
        next(false);
      });
    },
  };
}
