/**
 * Teams' side of many chats: the connector that takes what the bot says, and
 * fails in every way a connector can. It believes nobody but the bot, by its
 * token, and what it sends itself is truly signed.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { type Microsoft, openMicrosoft } from '../src/channels/bot-framework/microsoft.ts';
import type { Chance } from './chance.ts';

/** Each with how often it happens, of all that do. */
const faults = {
  /** It is not taken, and is to be sent again: in a second, or whenever one likes. */
  tooMany: 4,
  badGateway: 3,
  cutBefore: 3,
  /** It is taken, and whoever sent it is told something else, or nothing. */
  badGatewayAfter: 2,
  cutAfter: 2,
  cutInTheMiddle: 2,
  /** It is taken, and said so late, or when nobody waits any more. */
  late: 3,
  tooLate: 1,
} as const;
export type ConnectorFault = keyof typeof faults;
const names = Object.keys(faults) as ConnectorFault[];
const lots = names.flatMap((name) => Array.from({ length: faults[name] }, () => name));

/** How often something goes wrong with what is said. */
const OF_SAID = 0.12;
/** In milliseconds: within the time that the product has for it, and past it. */
const LATE = 1_200;
const TOO_LATE = 5_500;

export type ConnectorFaults = Record<ConnectorFault, number>;

const Said = z.object({
  type: z.string(),
  text: z.string().default(''),
  suggestedActions: z.object({ actions: z.array(z.object({ value: z.string() })) }).optional(),
  attachments: z
    .array(
      z.object({
        content: z.object({
          buttons: z.array(z.object({ type: z.literal('openUrl'), value: z.string() })).default([]),
          body: z.array(z.looseObject({ type: z.string(), actions: z.array(z.unknown()).optional() })).default([]),
        }),
      }),
    )
    .default([]),
});
const Button = z.object({ data: z.object({ kortlotsen: z.object({ says: z.string(), under: z.number() }) }) });

/** A part of a reply, as it came. */
export type Came = {
  text: string;
  suggests: string[];
  link: string | undefined;
  buttons: { says: string; under: number }[];
};

export type TeamsService = {
  url: string;
  microsoft: Microsoft;
  counts: ConnectorFaults;
  /** Hears what comes in one conversation, in the order it is taken. */
  listen: (conversation: string, hear: (came: Came) => void) => void;
  stop: () => Promise<void>;
};

export type TeamsWorld = {
  chance: Chance;
  /** Nothing fails while it does not say so. */
  isFaulty: () => boolean;
  /** Is told whenever something has been taken, before anybody is told so. */
  onTaken: () => void;
};

export async function startTeamsService({ chance, isFaulty, onTaken }: TeamsWorld): Promise<TeamsService> {
  const microsoft = await openMicrosoft();
  const counts = Object.fromEntries(names.map((name) => [name, 0])) as ConnectorFaults;
  const hearing = new Map<string, (came: Came) => void>();
  let taken = 0;

  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const said = Said.parse(JSON.parse(await textOf(request)));
    const answer = (status: number, told: object, headers: Record<string, string> = {}) => {
      response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
      response.end(JSON.stringify(told));
    };
    if (!(await microsoft.isBots(request.headers.authorization))) {
      answer(401, { error: { code: 'Unauthorized' } });
      return;
    }
    if (said.type !== 'message') {
      answer(201, { id: 't' });
      return;
    }
    const fault = isFaulty() && chance.happens(OF_SAID) ? chance.oneOf(lots) : undefined;
    if (fault) counts[fault] += 1;
    switch (fault) {
      case 'tooMany':
        answer(429, { error: { code: 'TooManyRequests' } }, { 'Retry-After': '1' });
        return;
      case 'badGateway':
        answer(502, {});
        return;
      case 'cutBefore':
        request.socket.destroy();
        return;
      case undefined:
      default:
    }
    const [, , , conversation = ''] = (request.url ?? '').split('/').map(decodeURIComponent);
    taken += 1;
    const receipt = { id: `r-${taken}` };
    hearing.get(conversation)?.(cameOf(said));
    onTaken();
    switch (fault) {
      case 'badGatewayAfter':
        answer(502, {});
        return;
      case 'cutAfter':
        request.socket.destroy();
        return;
      case 'cutInTheMiddle':
        response.writeHead(201, { 'Content-Type': 'application/json', 'Content-Length': '100' });
        response.write('{"id":', () => request.socket.destroy());
        return;
      case 'late':
      case 'tooLate':
        await wait(fault === 'late' ? LATE : TOO_LATE);
        break;
      case undefined:
      default:
    }
    answer(201, receipt);
  };

  const server = createServer((request, response) => {
    // Whoever is at the other end may die at any time.
    response.on('error', () => undefined);
    take(request, response).catch(() => request.socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    microsoft,
    counts,
    listen: (conversation, hear) => void hearing.set(conversation, hear),
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      microsoft.close();
      await closed;
    },
  };
}

function cameOf({ text, suggestedActions, attachments }: z.infer<typeof Said>): Came {
  const buttons = attachments.flatMap(({ content }) =>
    content.body.flatMap(({ actions = [] }) =>
      actions.flatMap((action) => Button.safeParse(action).data?.data.kortlotsen ?? []),
    ),
  );
  return {
    text,
    suggests: [...(suggestedActions?.actions.map(({ value }) => value) ?? []), ...buttons.map(({ says }) => says)],
    link: attachments[0]?.content.buttons[0]?.value,
    buttons,
  };
}
