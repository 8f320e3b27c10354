/** People with one card each, recorded in a ledger by its API as an issuer of cards would. */
import { z } from 'zod';
import { canaries } from '../canaries.ts';
import { type Product, runToItsEnd, startProduct } from './built-product.ts';

/** As the ledger is to know them. */
export type Cardholder = { identifier: string; card: string; number: string };

/** With these begin the names that the provider of identity has for people, and the numbers of cards. */
const { holder: IDENTIFIER, card: NUMBER } = canaries;
/** What nobody is to find, but in the ledger. */
export const hiddenOfHolders: readonly string[] = [IDENTIFIER, NUMBER];
export const identifierOf = (who: string): string => `${IDENTIFIER}-${who}`;
export const holdersCalled = (names: readonly string[]): Cardholder[] =>
  names.map((who, nth) => ({
    identifier: identifierOf(who),
    card: `c_of-${who}`,
    number: `${NUMBER}${String(nth).padStart(6, '0')}`,
  }));

/** Revocations in the ledger, without that of an invented person, who is there from the beginning. */
export const REVOKED = `select from ledger_events where type = 'card.revoked' and client <> 'demonstration'`;

type Recorder = { id: string; secret: string };

/** A ledger of its own that knows these, and the client that the assistant is to it. */
export async function startLedger(
  home: string,
  databaseUrl: string,
  holders: readonly Cardholder[],
): Promise<Product & { client: Recorder }> {
  const client = await makeClient(home, 'kortlotsen', ['cards:read', 'cards:revoke']);
  const recorder = await makeClient(home, 'registry', ['cards:read', 'cards:record']);
  const settings = { DATABASE_URL: databaseUrl, LEDGER_CLIENTS: [client.line, recorder.line].join() };
  const manner = { command: ['ledger', 'serve'], name: 'ledger', count: 1, environment: () => settings };
  const ledger = await startProduct(home, manner);
  await recordHolders(ledger.origins[0] ?? '', recorder, holders);
  return { ...ledger, client };
}

const Token = z.object({ access_token: z.string() });
const Found = z.object({ holder: z.string() });

/** How many people are recorded at once. */
const TOGETHER = 60;

/** `origin` is where the ledger is, and `recorder` a client that may read and record. */
async function recordHolders(origin: string, { id, secret }: Recorder, holders: readonly Cardholder[]): Promise<void> {
  const post = async (path: string, authorization: string, body: object | URLSearchParams): Promise<unknown> => {
    const isForm = body instanceof URLSearchParams;
    const response = await fetch(`${origin}/ledger${path}`, {
      method: 'POST',
      headers: { authorization, ...(!isForm && { 'content-type': 'application/json' }) },
      body: isForm ? body : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`The ledger would not record: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  const basic = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
  const grant = new URLSearchParams({ grant_type: 'client_credentials' });
  const bearer = `Bearer ${Token.parse(await post('/oauth/token', basic, grant)).access_token}`;

  const happeningsOf = async ({ identifier, card, number }: Cardholder): Promise<object[]> => {
    const { holder } = Found.parse(await post('/v1/holders', bearer, { identifier }));
    const certificate = { serial: `serial-${card}`, subjectType: 'HSA_ID', usage: 'AUTH', loa: 3, origin: 'INITIAL' };
    const [orderedOn, issuedOn, expiresOn] = [dayIn(-40), dayIn(-30), dayIn(1_400)];
    return [
      { type: 'holder.registered' },
      { type: 'card.ordered', card, order: `order-${card}`, number, kind: 'ORDINARY', orderedOn },
      { type: 'card.photographed', card, site: 'LINDHAGEN' },
      { type: 'card.produced', card },
      {
        ...{ type: 'card.dispatched', card, issuedOn, expiresOn },
        certificates: [{ ...certificate, notAfter: expiresOn }],
      },
      { type: 'card.handedOver', card },
    ].map((happening) => ({ ...happening, holder }));
  };
  for (let from = 0; from < holders.length; from += TOGETHER) {
    const some = await Promise.all(holders.slice(from, from + TOGETHER).map(happeningsOf));
    await post('/v1/records', bearer, { happenings: some.flat() });
  }
}

/** The product goes by the clock, and the cards are to be in use now. */
const dayIn = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

/** Makes a client of the ledger, and gives what the ledger has to be told of it. */
async function makeClient(home: string, id: string, scopes: readonly string[]): Promise<Recorder & { line: string }> {
  const { told } = await runToItsEnd(home, ['ledger', 'client', id, '--scopes', ...scopes]);
  const [, secret = ''] = /once: (\S+)/.exec(told) ?? [];
  const [, line = ''] = /others: (\S+)/.exec(told) ?? [];
  return { id, secret, line };
}
