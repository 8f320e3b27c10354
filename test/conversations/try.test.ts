import { expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { chat } from './chat.ts';
const tries = JSON.parse(readFileSync(process.env.TRY ?? '', 'utf8')) as [Parameters<typeof chat>[0], string[]][];
it('tries', async () => {
  let out = '';
  for (const [situation, messages] of tries) {
    out += `\n######## ${JSON.stringify(situation)}\n`;
    const student = chat(situation);
    for (const message of messages) {
      const a = await student.say(message).catch((e: unknown) => ({ texts: [String(e)], state: 'CRASH', heard: [], said: '', cites: [], suggests: [], requests: [] }));
      out += `> ${message.slice(0, 100)}\n   ${a.state}  heard ${a.heard.join(', ')}  cites ${a.cites.join(' ')}  req ${a.requests.map((r) => r.request + '@' + r.reference).join(' ')}\n   ${a.suggests.join(' | ')}\n`;
      if (process.env.FULL) out += a.texts.map((t) => `      ${t.replaceAll('\n', '\n      ')}\n`).join('      --\n');
      else out += a.texts.map((t) => `      ${t.slice(0, 70).replaceAll('\n', ' ')}\n`).join('');
    }
  }
  process.stdout.write(out);
  expect(1).toBe(1);
}, 60_000);
