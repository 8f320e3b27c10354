/**
 * The ledger's API as it is promised: every operation, what it takes, what it
 * answers and which problems it may tell of.
 *
 * Requests and answers are checked by these schemas, and the OpenAPI document
 * is made of them, so that none of the three can say anything else.
 */
import { z } from 'zod';
import {
  CardId,
  Certificate,
  Day,
  Happening,
  HolderId,
  Instant,
  IssuerOrg,
  Kind,
  PhotoSite,
  Reason,
  ReasonCode,
  ReceiptNumber,
  transitions,
} from '../cards.ts';

export const BASE = '/ledger/v1';
export const TOKEN_PATH = '/ledger/oauth/token';

export const scopes = {
  'cards:read': 'Find a holder, their cards and their receipts.',
  'cards:revoke': 'Revoke a holder’s card.',
  'cards:record': 'Record what has happened to cards.',
  'ledger:audit': 'Read the chain of events.',
} as const;
export type Scope = keyof typeof scopes;

/** What can be wrong, by the last part of its type. Nothing of the request is repeated in any of them. */
export const problems = {
  'invalid-request': [400, 'The request does not fit', 'It is not as the OpenAPI document describes it.'],
  unauthenticated: [401, 'Not authenticated', 'A valid access token is needed.'],
  'insufficient-scope': [403, 'Not allowed', 'The access token is not for this.'],
  unknown: [404, 'Nothing is here', 'There is nothing by that name, or it is not this holder’s.'],
  'method-not-allowed': [405, 'Not that method', 'This address is not used that way.'],
  'idempotency-key-reused': [
    409,
    'The key was used before',
    'The Idempotency-Key was sent before with something else.',
  ],
  'too-large': [413, 'Too large', 'The body is larger than is taken.'],
  'unsupported-encoding': [415, 'Not that encoding', 'The body is sent as it is.'],
  'other-region': [422, 'Another region’s card', 'Only the region that issued a card can revoke it.'],
  'not-in-use': [422, 'The card is not in use', 'It has not been in anybody’s hands, or is gone.'],
  impossible: [422, 'This cannot have happened', 'Nothing was recorded.'],
  'too-many-requests': [429, 'Too many requests', 'Wait for as long as Retry-After says.'],
  mistake: [
    500,
    'Something went wrong here',
    'Whether anything was done is not known. The same request can be sent again.',
  ],
} as const satisfies Record<string, readonly [number, string, string]>;
export type ProblemName = keyof typeof problems;

const PROBLEM_TYPES = '/ledger/problems/';
export const PROBLEM_JSON = 'application/problem+json';
const typeOf = <Name extends ProblemName>(name: Name): `/ledger/problems/${Name}` => `${PROBLEM_TYPES}${name}`;

/** RFC 9457. */
export const Problem = z
  .object({
    type: z.enum((Object.keys(problems) as ProblemName[]).map(typeOf)),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    problems: z.array(z.string()).exactOptional().meta({ description: 'What cannot have happened, and why.' }),
  })
  .meta({ description: 'What was wrong (RFC 9457).' });

export function problemOf(name: ProblemName, found?: readonly string[]): z.infer<typeof Problem> {
  const [status, title, detail] = problems[name];
  return { type: typeOf(name), title, status, detail, ...(found && { problems: [...found] }) };
}

const HOLDER = 'h_Zm9yIGV4YW1wbGUgb25seSwgb2Ygbm9ib2R5IGF0IGFs';
const CARD = 'c_ZXhhbXBsZQ';
const RECEIPT = {
  number: 'S-20C1-77AE-04F2',
  card: CARD,
  ending: '4711',
  reason: 'LOST',
  reasonCode: 1,
  at: '2026-11-23T07:00:00.000Z',
} as const;

export const Receipt = z
  .object({
    number: ReceiptNumber,
    card: CardId,
    ending: z.string().length(4),
    reason: Reason,
    reasonCode: ReasonCode.meta({ description: 'As in RFC 5280, 5.3.1.' }),
    at: Instant,
  })
  .meta({ description: 'The proof of a revocation. A card has one, for ever.', examples: [RECEIPT] });

export const Card = z
  .object({
    id: CardId,
    ending: z.string().length(4).meta({ description: 'The last four characters of its number.' }),
    kind: Kind,
    issuerOrg: IssuerOrg,
    hasPhoto: z.boolean(),
    state: z.enum(Object.keys(transitions) as (keyof typeof transitions)[]),
    orderedOn: Day,
    lapsesOn: Day.meta({ description: 'The order is gone after this day.' }),
    issuedOn: Day.exactOptional(),
    expiresOn: Day.exactOptional(),
    photoSite: PhotoSite.exactOptional(),
    usable: z.boolean().meta({ description: 'In use, not expired, and with a certificate that is good today.' }),
    certificates: z.array(Certificate.extend({ state: z.enum(['GOOD', 'REVOKED']) })),
    receipt: Receipt.exactOptional(),
  })
  .meta({
    description: 'A card as it is today.',
    examples: [
      {
        id: CARD,
        ending: '4711',
        kind: 'ORDINARY',
        issuerOrg: 'SE2321000016',
        hasPhoto: true,
        state: 'ACTIVE',
        orderedOn: '2025-11-23',
        lapsesOn: '2026-02-23',
        issuedOn: '2025-12-23',
        expiresOn: '2030-12-23',
        photoSite: 'LINDHAGEN',
        usable: true,
        certificates: [
          {
            serial: '4F12A9',
            subjectType: 'HSA_ID',
            usage: 'AUTH',
            loa: 3,
            notAfter: '2030-12-23',
            origin: 'INITIAL',
            state: 'GOOD',
          },
        ],
      },
    ],
  });

export const Cards = z.object({ cards: z.array(Card) });
export const HolderFound = z.object({ holder: HolderId }).meta({ examples: [{ holder: HOLDER }] });
export const Revocation = z
  .discriminatedUnion('outcome', [
    z.object({ outcome: z.literal('revoked'), receipt: Receipt }),
    z.object({ outcome: z.literal('expired') }),
  ])
  .meta({ examples: [{ outcome: 'revoked', receipt: RECEIPT }, { outcome: 'expired' }] });

const Head = z
  .object({ position: z.int().nonnegative(), hash: z.string() })
  .meta({ examples: [{ position: 0, hash: '0'.repeat(64) }] });

/** RFC 6749, 4.4. A client tells who it is here or by Basic authentication, not both. */
export const TokenRequest = z.object({
  grant_type: z.string().meta({ examples: ['client_credentials'] }),
  scope: z.string().exactOptional().meta({ description: 'Apart by spaces. Without it, all the client may have.' }),
  client_id: z.string().exactOptional(),
  client_secret: z.string().exactOptional(),
});
export const TokenGranted = z.object({
  access_token: z.string().min(1),
  token_type: z.literal('Bearer'),
  expires_in: z.int().positive().meta({ description: 'In seconds.' }),
  scope: z.string(),
});
/** RFC 6749, 5.2. */
export const TokenRefused = z.object({
  error: z.enum(['invalid_request', 'invalid_client', 'invalid_scope', 'unsupported_grant_type']),
});
export type TokenProblem = z.infer<typeof TokenRefused>['error'];

const holder = HolderId.meta({ description: 'The opaque name of a holder.', examples: [HOLDER] });
const card = CardId.meta({ description: 'The opaque name of a card.', examples: [CARD] });
/** A whole number in a query. */
const count = (least: number, most: number, otherwise: number) =>
  z.coerce.number().int().min(least).max(most).default(otherwise);

export const MOST_EVENTS = 1_000;
const LONGEST_CHAIN = 2 ** 31 - 1;

export type Operation = {
  method: 'get' | 'post';
  path: `/${string}`;
  summary: string;
  description?: string;
  scope: Scope;
  limit: 'requests' | 'revocations';
  /** What of a request is read. */
  takes: z.ZodObject<{ params?: z.ZodObject; query?: z.ZodObject; headers?: z.ZodObject; body?: z.ZodType }>;
  /** By status. What has no schema has no body, and what has a type is text of that type. */
  answers: Partial<Record<200 | 201 | 204, { description: string; schema?: z.ZodType; type?: string }>>;
  /** Beyond those that everything may meet with. */
  problems: readonly ProblemName[];
};

export const operations = {
  findHolder: {
    method: 'post',
    path: '/holders',
    summary: 'The holder’s opaque name',
    description: 'Everybody has one, also those the ledger does not know. An identifier never stands in an address.',
    scope: 'cards:read',
    limit: 'requests',
    takes: z.object({
      body: z.object({
        identifier: z
          .string()
          .regex(/^[^\p{Cc}]{1,300}$/u)
          .meta({ description: 'What a provider of identity calls them.', examples: ['7d1c2b1e-demo'] }),
      }),
    }),
    answers: { 200: { description: 'The name. It is the same for the same person.', schema: HolderFound } },
    problems: [],
  },
  listCards: {
    method: 'get',
    path: '/holders/:holder/cards',
    summary: 'The holder’s cards',
    description: 'A holder who is unknown, and one whose data are protected, have none.',
    scope: 'cards:read',
    limit: 'requests',
    takes: z.object({ params: z.object({ holder }) }),
    answers: { 200: { description: 'The cards, which may be none.', schema: Cards } },
    problems: [],
  },
  readCard: {
    method: 'get',
    path: '/holders/:holder/cards/:card',
    summary: 'One card',
    scope: 'cards:read',
    limit: 'requests',
    takes: z.object({ params: z.object({ holder, card }) }),
    answers: { 200: { description: 'The card as it is today.', schema: Card } },
    problems: ['unknown'],
  },
  revokeCard: {
    method: 'post',
    path: '/holders/:holder/cards/:card/revocation',
    summary: 'Revoke a card, for ever',
    description:
      'A card is revoked once. Whoever asks again, with the same Idempotency-Key or another, is given the first receipt, so a request whose answer was lost can be sent again.',
    scope: 'cards:revoke',
    limit: 'revocations',
    takes: z.object({
      params: z.object({ holder, card }),
      headers: z.object({
        'idempotency-key': z
          .string()
          .regex(/^[\x20-\x7e]{1,200}$/)
          .meta({
            description: 'Names the errand, and is the same however often it is sent.',
            examples: ['8d0a3c5e/revocation'],
          }),
      }),
      body: z.object({
        reason: Reason,
        channel: z
          .string()
          .regex(/^[a-z][a-z0-9-]{0,39}$/)
          .meta({ description: 'Where it was asked for.', examples: ['chat', 'servicedesk'] }),
      }),
    }),
    answers: {
      200: {
        description: 'It was revoked before, on another errand; or nothing was done, for it has expired.',
        schema: Revocation,
      },
      201: { description: 'It is revoked, on this errand.', schema: Revocation },
    },
    problems: ['unknown', 'idempotency-key-reused', 'other-region', 'not-in-use'],
  },
  readReceipt: {
    method: 'get',
    path: '/holders/:holder/receipts/:number',
    summary: 'The receipt of a revocation',
    scope: 'cards:read',
    limit: 'requests',
    takes: z.object({
      params: z.object({
        holder,
        number: ReceiptNumber.meta({ description: 'The receipt’s number.', examples: [RECEIPT.number] }),
      }),
    }),
    answers: { 200: { description: 'The receipt.', schema: Receipt } },
    problems: ['unknown'],
  },
  record: {
    method: 'post',
    path: '/records',
    summary: 'Record what has happened',
    description: 'All of it is kept or, if any of it cannot have happened, nothing.',
    scope: 'cards:record',
    limit: 'requests',
    takes: z.object({ body: z.object({ happenings: z.array(Happening).min(1).max(500) }) }),
    answers: { 204: { description: 'It is kept.' } },
    problems: ['impossible'],
  },
  readHead: {
    method: 'get',
    path: '/chain',
    summary: 'The last event of the chain',
    scope: 'ledger:audit',
    limit: 'requests',
    takes: z.object({}),
    answers: { 200: { description: 'Its position and its hash.', schema: Head } },
    problems: [],
  },
  readEvents: {
    method: 'get',
    path: '/chain/events',
    summary: 'Events, in order',
    description: 'Each line is one event as canonical JSON (RFC 8785), with its hash and that of the one before.',
    scope: 'ledger:audit',
    limit: 'requests',
    takes: z.object({
      query: z.object({
        after: count(0, LONGEST_CHAIN, 0).meta({ description: 'The position of the last event that is known.' }),
        limit: count(1, MOST_EVENTS, MOST_EVENTS).meta({ description: 'The most that are wanted.' }),
      }),
    }),
    answers: { 200: { description: 'The events.', schema: z.string(), type: 'application/jsonl' } },
    problems: [],
  },
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof operations;

/** What any operation may tell of. Bodies are read before anything else. */
export const problemsOf = ({ takes, problems: own }: Operation): ProblemName[] => [
  ...(Object.keys(takes.shape).length > 0 ? (['invalid-request'] as const) : []),
  'unauthenticated',
  'insufficient-scope',
  ...own,
  ...(takes.shape.body ? (['too-large', 'unsupported-encoding'] as const) : []),
  'too-many-requests',
  'mistake',
];
