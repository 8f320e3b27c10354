/**
 * What a deployment decides for itself, read from the environment.
 *
 * The guidance gives no number, address or link, so those of the servicedesk
 * and its neighbours are set here or not said at all.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import type { Day } from '../dialogs/card-validity.ts';
import type { BotSettings } from './channels/bot-framework/adapter.ts';
import { isAllowedHost } from './channels/bot-framework/service-hosts.ts';
import type { ProofLasts } from './conversations/conversations.ts';
import { Client } from './ledger/api/access.ts';
import { type Hours, readHours } from './servicedesk/hours.ts';
import { StartupProblem } from './startup-problem.ts';
import { ACCENT, contrastOf, READABLE } from './web/colours.ts';
import type { ContactDetails } from './wording.ts';

export type Settings = {
  contacts: ContactDetails;
  hasColour: boolean;
  isProduction: boolean;
  host: string;
  port: number;
  /** Where students reach us, without a slash at the end. Nothing: where we listen. */
  publicUrl: string | undefined;
  /** Nothing: a database of our own, in the data folder. */
  databaseUrl: string | undefined;
  dataFolder: string;
  /** What the editors have written. Nothing: the product's own. */
  contentFolder: string | undefined;
  /** Whose servers may begin conversations over Direct Line, and the pages that may use those. */
  hubs: Hub[];
  /** Of those, by name, the ones whose own humans take over. */
  deskHubs: string[];
  /** Azure's Direct Line, for the page with the stock Web Chat. Nothing: our own. */
  azureDirectLine: { url: string; secret: string } | undefined;
  /** The pages that may show the chat in a frame, as origins. */
  embedOrigins: string[];
  /** Of buttons and links, as #rrggbb. Nothing: ours. */
  accent: string | undefined;
  /** The proxies before us whose word is taken for who asks, as addresses or networks. */
  trustedProxies: string[];
  bot: BotSettings | undefined;
  /** Nothing: nobody can sign in or, where it is only tried, as invented people. */
  identity: IdentitySettings | undefined;
  proofLasts: ProofLasts;
  /** Nothing: a ledger of our own, in our database. */
  ledger: LedgerAccess | undefined;
  /** Who may use the API of the ledger that we have. */
  ledgerClients: Client[];
  retention: { days: number | undefined; decision: string | undefined };
  /** Nothing: nobody is there, and students are told whom to contact. */
  servicedesk: ServicedeskSettings | undefined;
  /** For how long it goes on answering after it was asked to stop. */
  drainSeconds: number;
  logLevel: string;
  /** What whoever reads the metrics shows. Nothing: nobody may or, where it is only tried, this machine. */
  metricsToken: string | undefined;
  /** The last day of each secret that has one. */
  secretsExpire: SecretExpiry[];
};

/** A secret by the name of its setting. */
export type SecretExpiry = { name: SecretName; day: Day };

/** Settings that are secrets, and may have an end that only whoever gave them knows. */
export const secretNames = [
  'MicrosoftAppPassword',
  'OIDC_CLIENT_SECRET',
  'SERVICEDESK_OIDC_CLIENT_SECRET',
  'LEDGER_CLIENT_SECRET',
  'AZURE_DIRECT_LINE_SECRET',
  'KORTLOTSEN_METRICS_TOKEN',
  'DATABASE_URL',
  'DIRECT_LINE_HUBS',
  'LEDGER_CLIENTS',
] as const;
export type SecretName = (typeof secretNames)[number];

/** A channel of Teams that is told of the cases that wait, and where Teams is reached. */
export type DeskChannel = { name: string; serviceUrl: string };

/** Either may be nothing only where it is tried: then it is always open, or invented people work there. */
export type ServicedeskSettings = {
  hours: Hours | undefined;
  identity: ServicedeskIdentity | undefined;
  channel: DeskChannel | undefined;
};

/** Where those who work there sign in, and what the provider calls what they may do. */
export type ServicedeskIdentity = {
  issuer: string;
  clientId: string;
  clientSecret: string;
  scope: string;
  roleClaim: string;
  agentRole: string;
  /** Nothing: nobody is an editor. */
  editorRole: string | undefined;
  acr: string[];
};

export type IdentitySettings = {
  issuer: string;
  clientId: string;
  clientSecret: string;
  scope: string;
  /** The claim that says who it is, as the ledger knows them. */
  holderClaim: string;
  /** The levels of assurance that are enough. */
  acr: string[];
};

/** A ledger somewhere else. */
export type LedgerAccess = { url: string; tokenUrl?: string; clientId: string; clientSecret: string };

/** What an app package for Teams says of a deployment. Nothing of it is secret. */
export type PackageSettings = {
  appId: string;
  tenantId: string;
  /** As `Settings` has it, but certainly by https, at a host that Microsoft's servers and everybody's Teams can reach. */
  publicUrl: string;
  accent: string;
  /** Who answers for the app, and the pages that Teams links to from it. */
  developer: { name: string; websiteUrl: string; privacyUrl: string; termsUrl: string };
};

/** What is to be run: the assistant, the ledger alone, or a command that does something with the database. */
export type Purpose = 'assistant' | 'ledger' | 'command';

/** Of a provider of identity. */
const Scope = z.string().regex(/(^| )openid( |$)/, 'does not hold openid');
const Acr = z
  .string()
  .transform((written) => listed(written))
  .default([]);

const Contact = z
  .string()
  .trim()
  .min(1, 'is empty; leave it out instead')
  .max(200, 'is longer than 200 characters')
  .regex(/^[^\p{Cc}{}<>]*$/u, 'holds a line break, a brace or an angle bracket')
  .optional();

const Secret = z.string().min(1, 'is empty; leave it out instead').optional();
const withoutSlash = (url: string): string => url.replace(/\/+$/, '');
const Url = z.url({ protocol: /^https?$/, error: 'is no address; write it as https://example.se' });
const Minutes = (least: number, most: number) =>
  z.coerce
    .number('is no number of minutes')
    .int('is no whole number of minutes')
    .min(least, `is less than ${least} minutes`)
    .max(most, `is more than ${most} minutes`);

/** A list that has one complaint, whichever of its parts is wrong, and however. */
const everyOne = <Part extends z.ZodType>(part: Part, complaint: string) =>
  z.array(z.custom<z.input<Part>>()).transform((all, context): z.output<Part>[] => {
    const { data } = z.array(part).safeParse(all);
    if (data) return data;
    context.addIssue(complaint);
    return z.NEVER;
  });

/** `id:hash:cards:read+cards:revoke`, one or several with commas between; `ledger client` writes one. */
const Clients = z
  .string()
  .transform((written) => written.split(',').map((each) => each.trim()))
  .transform((all) => all.filter((each) => each !== '').map(readClient))
  .pipe(everyOne(Client, 'is not written as ledger client writes it'));

function readClient(written: string): unknown {
  const [, id, secretHash, scopes = ''] = /^([^:]+):([^:]+):(.+)$/.exec(written) ?? [];
  return { id, secretHash, scopes: scopes.split('+') };
}

/** Another server that students meet us through. */
export type Hub = z.infer<typeof Hub>;

const Origin = z
  .url({ protocol: /^https?$/, error: 'is no origin' })
  .refine((url) => URL.canParse(url) && new URL(url).origin === url, 'is no origin');
export const Hub = z.object({
  name: z.string().regex(/^[a-z0-9]{1,40}$/),
  /** SHA-256 of its secret, in hex. */
  secretHash: z.string().regex(/^[0-9a-f]{64}$/),
  origins: z.array(Origin),
});
const listed = (written: string): string[] => written.split(/[\s,]+/).filter((each) => each !== '');

/** `name:hash`, or `name:hash:https://a.se+https://b.se`, with commas between; `direct-line hub` writes one. */
const Hubs = z
  .string()
  .transform((written) => listed(written).map(readHub))
  .pipe(everyOne(Hub, 'is not written as direct-line hub writes it'))
  .refine(
    (hubs) => hubs.every(({ name, origins }) => pagesOf(hubs, name) === origins.join()),
    'has two of the same name with other pages',
  );

/** A hub that is there twice has two secrets, while one takes over from the other. */
const pagesOf = (hubs: readonly Hub[], name: string) => hubs.find((hub) => hub.name === name)?.origins.join();

function readHub(written: string): unknown {
  const [, name, secretHash, origins = ''] = /^([^:]+):([^:]+)(?::(.+))?$/.exec(written) ?? [];
  return { name, secretHash, origins: origins.split('+').filter((each) => each !== '') };
}

const Network = z
  .string()
  .regex(/^(loopback|linklocal|uniquelocal|[0-9a-fA-F:.]+(\/\d{1,3})?)$/)
  .refine((network) => ['loopback', 'linklocal', 'uniquelocal'].includes(network) || isNetwork(network));

function isNetwork(written: string): boolean {
  const [address = '', bits] = written.split('/');
  const version = isIP(address);
  return version !== 0 && (bits === undefined || Number(bits) <= (version === 4 ? 32 : 128));
}

const Colour = z
  .string()
  .regex(/^#[0-9a-f]{6}$/i, 'is no colour; write it as #00527a')
  .refine(
    (colour) => !/^#[0-9a-f]{6}$/i.test(colour) || contrastOf(colour, '#ffffff') >= READABLE,
    'is too light to be read white text on; choose a darker one',
  );

/** When the servicedesk is open, as its week is written. */
const DeskWeek = z.string().transform((written, context) => {
  const read = readHours(written);
  if ('spans' in read) return read.spans;
  context.addIssue(read.complaint);
  return z.NEVER;
});
const ClosedDays = z
  .string()
  .transform(listed)
  .pipe(
    everyOne(
      z.iso.date().transform((day) => day as Day),
      'holds something that is no date; write them as 2026-12-23',
    ),
  );

/** `NAME=2027-05-01`, with spaces between. */
const SecretsExpire = z
  .string()
  .transform((written) =>
    listed(written).map((each) => {
      const [name, day] = each.split(/=(.*)/);
      return { name, day };
    }),
  )
  .pipe(
    everyOne(
      z.object({ name: z.enum(secretNames), day: z.iso.date().transform((day) => day as Day) }),
      `holds something that is no secret with its last day; write them as OIDC_CLIENT_SECRET=2027-05-01, of ${secretNames.join(', ')}`,
    ),
  )
  .refine(
    (all) => new Set(all.map(({ name }) => name)).size === all.length,
    'has two last days of the same secret; leave one out',
  );

/** The Bot Framework in the public cloud, as Microsoft documents it. */
const AZURE = {
  issuer: 'https://api.botframework.com',
  metadataUrl: 'https://login.botframework.com/v1/.well-known/openidconfiguration',
  loginUrl: 'https://login.microsoftonline.com',
  scope: 'https://api.botframework.com',
  hosts: ['smba.trafficmanager.net', '.botframework.com'],
  /** Where Teams is reached from anywhere in the world, for whoever has heard nothing from there yet. */
  teams: 'https://smba.trafficmanager.net/teams/',
};
const Host = z
  .string()
  .regex(/^\.?[a-z0-9-]+(\.[a-z0-9-]+)*$/i)
  .toLowerCase();

const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];
const Uuid = z.uuid(
  'is no id as the Bot Framework writes them; copy it from the app’s registration in Microsoft Entra',
);

const PublicUrl = z
  .url({ protocol: /^https?$/, error: 'is no address; write it as https://kortlotsen.example.se' })
  .transform(withoutSlash);

/** What a Teams app package needs, where it has to be more than what it takes to serve. */
const Packaging = z.object({
  MicrosoftAppId: Uuid,
  MicrosoftAppTenantId: Uuid,
  KORTLOTSEN_PUBLIC_URL: PublicUrl.superRefine(isReachedByTeams)
    .refine(
      (url) => !URL.canParse(url) || new URL(url).port === '',
      'has a port, and Teams takes a host alone; let a proxy answer at the usual one',
    )
    .refine((url) => !/[?#]/.test(url), 'has something after a question mark or a number sign; leave it out'),
  KORTLOTSEN_ACCENT: Colour.default(ACCENT),
  TEAMS_DEVELOPER_NAME: z
    .string()
    .trim()
    .min(1, 'is empty; write who answers for the app')
    .max(32, 'is longer than the 32 characters that Teams takes; write a shorter name')
    .regex(/^\P{Cc}*$/u, 'holds a line break; write it on one line')
    .meta({
      part: 'teamsPackage',
      means: 'who answers for the app in Teams, in 32 characters at most',
      without: 'no package',
    }),
  TEAMS_DEVELOPER_URL: z
    .string()
    .superRefine(isReachedByTeams)
    .meta({ part: 'teamsPackage', means: 'their website', without: 'no package' }),
  TEAMS_PRIVACY_URL: z
    .string()
    .superRefine(isReachedByTeams)
    .optional()
    .meta({ part: 'teamsPackage', means: 'the page that Teams links to for privacy', without: 'our own `/records`' }),
  TEAMS_TERMS_URL: z
    .string()
    .superRefine(isReachedByTeams)
    .meta({ part: 'teamsPackage', means: 'the page with its terms of use', without: 'no package' }),
});

/** Complains of an address that Teams would not take, or that nobody could follow from there. */
function isReachedByTeams(url: string, context: z.RefinementCtx): void {
  const complaint = whyNotReached(url);
  if (complaint !== undefined) context.addIssue(complaint);
}

function whyNotReached(written: string): string | undefined {
  const example = 'write it as https://kortlotsen.example.se';
  if (!URL.canParse(written)) return `is no address; ${example}`;
  const { protocol, hostname, username, password } = new URL(written);
  const host = hostname.replace(/^\[|\]$/g, '');
  if (protocol !== 'https:') return `is not https, which Teams needs; ${example}`;
  if (written.length > 2_000) return 'is longer than 2000 characters; write a shorter address';
  if (username !== '' || password !== '') return `holds a user or a password, which everybody could read; ${example}`;
  if (host.includes('*')) return `has a wildcard; name the one host, and ${example}`;
  if (isIP(host) !== 0) return `has an IP address, and Teams takes a host by its name; ${example}`;
  if (/(^|\.)(localhost|local|internal)$/.test(host)) return `cannot be reached from Microsoft’s servers; ${example}`;
  if (!/^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])$/.test(host))
    return `has no full name of a host; ${example}`;
  return undefined;
}

const Folder = z.string().min(1, 'is empty; leave it out instead');
const Folders = z.object({ KORTLOTSEN_DATA: Folder.default('data'), KORTLOTSEN_CONTENT: Folder.optional() });

/** Where the content is, and the data: all that commands need that serve nobody. */
export function readFolders(
  environment: Record<string, string | undefined>,
): Pick<Settings, 'dataFolder' | 'contentFolder'> {
  const { data, error } = Folders.safeParse(environment);
  if (!data) throw refusalFor(error.issues.map(complaintOf));
  return { dataFolder: data.KORTLOTSEN_DATA, contentFolder: data.KORTLOTSEN_CONTENT };
}

const Environment = z
  .object({
    KORTLOTSEN_SERVICEDESK: Contact.meta({
      part: 'students',
      means: 'said after the name of the servicedesk; the guidance gives no number, address or link',
      without: 'the name only',
    }),
    KORTLOTSEN_IT_PORTAL: Contact.meta({
      part: 'students',
      means: 'said after the it-portal',
      without: 'the name only',
    }),
    KORTLOTSEN_BOOKING_CALENDAR: Contact.meta({
      part: 'students',
      means: 'said after the booking calendar',
      without: 'the name only',
    }),
    KORTLOTSEN_PUBLIC_URL: PublicUrl.optional().meta({
      part: 'place',
      means: 'where students reach it',
      without: 'where it listens',
    }),
    KORTLOTSEN_DATA: Folder.default('data').meta({
      part: 'database',
      means: 'the folder of our own PostgreSQL',
    }),
    KORTLOTSEN_CONTENT: Folder.optional().meta({
      part: 'students',
      means: 'the folder of the content, where editors keep their own beside the product',
      without: 'the content that comes with the product',
    }),
    DATABASE_URL: z
      .string()
      .refine(
        (url) => /^postgres(ql)?:\/\/./.test(url) && URL.canParse(url),
        'is no address of PostgreSQL; write it as postgresql://user:password@host:5432/database',
      )
      .optional()
      .meta({
        part: 'database',
        means: 'PostgreSQL 14 or later, as `postgresql://user:password@host:5432/database`',
        without: 'a PostgreSQL of our own, which only one process can open',
        isSecret: true,
      }),
    HOST: z.string().min(1, 'is empty; leave it out instead').default('127.0.0.1').meta({
      part: 'place',
      means: 'the address to listen at; any other than this machine’s own takes `NODE_ENV=production`',
    }),
    PORT: z.coerce
      .number('is no port')
      .int('is no port')
      .min(0, 'is no port')
      .max(65_535, 'is no port')
      .default(3978)
      .meta({ part: 'place', means: 'the port to listen at' }),
    NODE_ENV: z
      .enum(['production', 'development', 'test'], 'is neither production, development nor test')
      .default('development')
      .meta({ part: 'place', means: '`production`; in `development` there are made-up people to sign in as' }),
    DIRECT_LINE_HUBS: Hubs.default([]).meta({
      part: 'directLine',
      means:
        'the servers that may begin conversations over Direct Line, as `direct-line hub` writes it, with commas between; one may be there twice, while its secret is changed',
      without: 'none may',
    }),
    SERVICEDESK_TEAMS_CHANNEL: z
      .string()
      .regex(/^19:[\w-]+@thread\.(tacv2|skype)$/, 'is no channel as Teams names them, 19:…@thread.tacv2')
      .optional()
      .meta({
        part: 'servicedesk',
        means:
          'the channel of Teams that gets a card for each case that waits, as its own link has it, `19:…@thread.tacv2`; the app has to be added to its team',
        without: 'no channel does',
      }),
    TEAMS_SERVICE_URL: Url.default(AZURE.teams).meta({ part: 'servicedesk', means: 'where Teams is reached for that' }),
    SERVICEDESK_HUBS: z.string().transform(listed).default([]).meta({
      part: 'servicedesk',
      means: 'the hubs whose own humans take over, by name; [how](../servicedesk/README.md)',
      without: 'our own servicedesk does',
    }),
    AZURE_DIRECT_LINE_SECRET: Secret.meta({
      part: 'directLine',
      means: 'has `/web-chat` chat over Azure’s Direct Line, with the secret of our bot’s registration there',
      without: 'over our own',
      isSecret: true,
    }),
    AZURE_DIRECT_LINE_URL: Url.transform(withoutSlash)
      .default('https://directline.botframework.com/v3/directline')
      .meta({
        part: 'directLine',
        means: 'which of Azure’s, such as `https://europe.directline.botframework.com/v3/directline`',
      }),
    KORTLOTSEN_EMBED_ORIGINS: z
      .string()
      .transform(listed)
      .pipe(everyOne(Origin, 'holds something that is no origin; write them as https://example.se'))
      .default([])
      .meta({
        part: 'students',
        means: 'the pages that may show the chat, as origins with spaces between',
        without: 'ours',
      }),
    KORTLOTSEN_ACCENT: Colour.optional().meta({
      part: 'students',
      means:
        'the colour of buttons and links, as `#00527a`, dark enough for white text; its form in the dark is made from it',
      without: 'ours',
    }),
    KORTLOTSEN_TRUSTED_PROXIES: z
      .string()
      .transform(listed)
      .pipe(everyOne(Network, 'holds something that is no address or network; write them as 10.0.0.0/8'))
      .default([])
      .meta({
        part: 'place',
        means:
          'the proxies before us that are believed about whom they ask for, as addresses or networks, such as `10.0.0.0/8`',
        without: 'nobody is; one proxy’s visitors count as one',
      }),
    MicrosoftAppId: Uuid.optional().meta({
      part: 'teams',
      means: 'the bot’s registration, for Teams; the next three go with it',
      without: '`/api/messages` answers this machine, or in production nobody',
    }),
    MicrosoftAppType: z
      .enum(['SingleTenant'], 'is not SingleTenant, which is the only type we take')
      .default('SingleTenant')
      .meta({ part: 'teams', means: 'of which type it is, as others of Microsoft’s programs are told' }),
    MicrosoftAppTenantId: Uuid.optional().meta({
      part: 'teams',
      means: 'the tenant it is registered in',
      without: 'no Teams',
    }),
    MicrosoftAppPassword: z.string().min(1, 'is empty; leave it out instead').optional().meta({
      part: 'teams',
      means: 'a client secret of the registration',
      without: 'no Teams',
      isSecret: true,
    }),
    ToBotFromChannelTokenIssuer: z.string().min(1, 'is empty; leave it out instead').default(AZURE.issuer).meta({
      part: 'teams',
      means: 'these four: the Bot Framework in another cloud than Microsoft’s public one, by its own names',
    }),
    ToBotFromChannelOpenIdMetadataUrl: Url.default(AZURE.metadataUrl).meta({
      part: 'teams',
      means: 'where the keys are that it signs with',
    }),
    ToChannelFromBotLoginUrl: Url.transform(withoutSlash).default(AZURE.loginUrl).meta({
      part: 'teams',
      means: 'where we get our own tokens',
    }),
    ToChannelFromBotOAuthScope: Url.transform(withoutSlash).default(AZURE.scope).meta({
      part: 'teams',
      means: 'what those are for',
    }),
    BOT_SERVICE_HOSTS: z
      .string()
      .transform(listed)
      .pipe(
        everyOne(Host, 'holds something that is no host; write them as smba.trafficmanager.net or .botframework.com'),
      )
      .default(AZURE.hosts)
      .meta({ part: 'teams', means: 'where replies to the Bot Framework may be sent, as hosts or `.domain`' }),
    OIDC_ISSUER: Url.optional().meta({
      part: 'signIn',
      means: 'the provider of identity that students sign in at',
      without: 'made-up people, or in production nobody',
    }),
    OIDC_CLIENT_ID: Secret.meta({
      part: 'signIn',
      means: 'who we are there; needed with the provider',
      without: 'no provider',
    }),
    OIDC_CLIENT_SECRET: Secret.meta({
      part: 'signIn',
      means: 'what we prove that by; needed with the provider',
      without: 'no provider',
      isSecret: true,
    }),
    OIDC_SCOPE: Scope.default('openid').meta({
      part: 'signIn',
      means: 'what is asked of the provider, `openid` among it',
    }),
    OIDC_HOLDER_CLAIM: Secret.meta({
      part: 'signIn',
      means: 'the claim of the id token that says who it is, as the ledger knows them; needed with the provider',
      without: 'no provider',
    }),
    OIDC_ACR: Acr.meta({
      part: 'signIn',
      means: 'the levels of assurance that are enough, with spaces between; production needs them with the provider',
      without: 'any is enough',
    }),
    SERVICEDESK_HOURS: DeskWeek.optional().meta({
      part: 'servicedesk',
      means:
        'when somebody is at the servicedesk, as `mån-tors 07:30-17:00, fre 07:30-16:00`; production needs it where there is a servicedesk',
      without: 'always, or in production never',
    }),
    SERVICEDESK_CLOSED_DAYS: ClosedDays.optional().meta({
      part: 'servicedesk',
      means: 'days that it is closed on besides, as `2026-12-23`, with spaces between',
      without: 'none',
    }),
    SERVICEDESK_OIDC_ISSUER: Url.optional().meta({
      part: 'servicedesk',
      means: 'the provider of identity that those who work there sign in at',
      without: 'made-up people, or in production no servicedesk: students are told whom to contact',
    }),
    SERVICEDESK_OIDC_CLIENT_ID: Secret.meta({
      part: 'servicedesk',
      means: 'who we are there; needed with the provider',
      without: 'no provider',
    }),
    SERVICEDESK_OIDC_CLIENT_SECRET: Secret.meta({
      part: 'servicedesk',
      means: 'what we prove that by; needed with the provider',
      without: 'no provider',
      isSecret: true,
    }),
    SERVICEDESK_OIDC_SCOPE: Scope.default('openid profile').meta({
      part: 'servicedesk',
      means: 'what is asked of that provider; a name is what students and colleagues see',
    }),
    SERVICEDESK_OIDC_ROLE_CLAIM: z.string().min(1, 'is empty; leave it out instead').default('roles').meta({
      part: 'servicedesk',
      means: 'the claim of the id token that holds the names of roles, one or a list',
    }),
    SERVICEDESK_OIDC_AGENT_ROLE: Secret.meta({
      part: 'servicedesk',
      means: 'what the provider calls whoever may chat with students; needed with the provider',
      without: 'no provider',
    }),
    SERVICEDESK_OIDC_EDITOR_ROLE: Secret.meta({
      part: 'servicedesk',
      means: 'what it calls whoever may edit',
      without: 'nobody is an editor',
    }),
    SERVICEDESK_OIDC_ACR: Acr.meta({
      part: 'servicedesk',
      means: 'as `OIDC_ACR`, of those who work there',
      without: 'any is enough',
    }),
    KORTLOTSEN_PROOF_MINUTES: Minutes(5, 480).default(30).meta({
      part: 'signIn',
      means: 'how long a sign-in lasts altogether, in minutes; a revocation takes one of at most 15',
    }),
    KORTLOTSEN_PROOF_IDLE_MINUTES: Minutes(1, 60).default(10).meta({
      part: 'signIn',
      means: 'how long it lasts while nothing is written',
    }),
    LEDGER_URL: Url.transform(withoutSlash).optional().meta({
      part: 'ledger',
      means: 'a card ledger somewhere else',
      without: 'a ledger of our own, in our database',
    }),
    LEDGER_TOKEN_URL: Url.optional().meta({
      part: 'ledger',
      means: 'where its tokens are given',
      without: '`/ledger/oauth/token` there',
    }),
    LEDGER_CLIENT_ID: Secret.meta({ part: 'ledger', means: 'who we are there', without: 'no other ledger' }),
    LEDGER_CLIENT_SECRET: Secret.meta({
      part: 'ledger',
      means: 'what we prove that by',
      without: 'no other ledger',
      isSecret: true,
    }),
    LEDGER_CLIENTS: Clients.default([]).meta({
      part: 'ledger',
      means:
        'who may use the API of our own ledger, as `ledger client` writes it, with commas between; one may be there twice, while its secret is changed',
      without: 'nobody',
    }),
    KORTLOTSEN_RETENTION_DAYS: z.coerce
      .number('is no number of days')
      .int('is no whole number of days')
      .min(1, 'is less than a day')
      .max(3_650, 'is more than ten years')
      .optional()
      .meta({ part: 'retention', means: 'after how many days an untouched chat goes', without: 'chats stay' }),
    KORTLOTSEN_RETENTION_DECISION: Contact.meta({
      part: 'retention',
      means: 'the disposal decision that rests on',
      without: 'chats stay',
    }),
    KORTLOTSEN_DRAIN_SECONDS: z.coerce
      .number('is no number of seconds')
      .int('is no whole number of seconds')
      .min(0, 'is less than none')
      .max(300, 'is more than 300 seconds')
      .default(0)
      .meta({
        part: 'place',
        means:
          'for how long it goes on answering when it is asked to stop, while `/health` tells it; as long as whoever leads requests to it takes to heed that',
      }),
    LOG_LEVEL: z
      .enum(['debug', 'info', 'warn', 'error', 'silent'], 'is none of debug, info, warn, error, silent')
      .default('info')
      .meta({ part: 'place', means: '`debug`, `info`, `warn`, `error` or `silent`' }),
    KORTLOTSEN_METRICS_TOKEN: z
      .string()
      .regex(/^[\w.~+/=-]+$/, 'has a character that a bearer token cannot have; write letters and digits')
      .min(24, 'is shorter than 24 characters, and could be guessed')
      .optional()
      .meta({
        part: 'place',
        means: 'what whoever reads `/metrics` shows, as `Authorization: Bearer …`; 24 characters or more',
        without: 'it is open where it is only tried, and closed in production',
        isSecret: true,
      }),
    KORTLOTSEN_SECRETS_EXPIRE: SecretsExpire.default([]).meta({
      part: 'place',
      means:
        'when secrets end, as `MicrosoftAppPassword=2027-05-01`, with spaces between: `/metrics` and `/health/ready` tell of it, and so does the log within 30 days',
      without: 'nobody is warned',
    }),
    NO_COLOR: z.string().optional().meta({ part: 'place', means: 'no colours in the terminal', without: 'colours' }),
  })
  .superRefine((settings, context) => {
    const complain = (path: string, message: string) => {
      context.addIssue({ code: 'custom', path: [path], message });
    };
    const { NODE_ENV, HOST, MicrosoftAppId, MicrosoftAppTenantId, MicrosoftAppPassword } = settings;
    const needs = (name: keyof typeof settings, needed: readonly (keyof typeof settings)[]) => {
      for (const each of needed) {
        if (settings[name] && !settings[each]) complain(each, `is missing, and ${name} needs it`);
        if (!settings[name] && settings[each]) complain(name, `is missing, and ${each} is nothing without it`);
      }
    };
    if (!LOOPBACK.includes(HOST) && NODE_ENV !== 'production') {
      complain('HOST', 'can be reached by others, which only NODE_ENV=production may');
    }
    needs('OIDC_ISSUER', ['OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET', 'OIDC_HOLDER_CLAIM']);
    needs('SERVICEDESK_OIDC_ISSUER', [
      'SERVICEDESK_OIDC_CLIENT_ID',
      'SERVICEDESK_OIDC_CLIENT_SECRET',
      'SERVICEDESK_OIDC_AGENT_ROLE',
    ]);
    if (settings.SERVICEDESK_CLOSED_DAYS && !settings.SERVICEDESK_HOURS)
      complain('SERVICEDESK_HOURS', 'is missing, and SERVICEDESK_CLOSED_DAYS is nothing without it');
    const hubs = settings.DIRECT_LINE_HUBS.map(({ name }) => name);
    if (settings.SERVICEDESK_HUBS.some((name) => !hubs.includes(name)))
      complain('SERVICEDESK_HUBS', 'names one that is not in DIRECT_LINE_HUBS');
    if (settings.SERVICEDESK_HUBS.includes('own')) complain('SERVICEDESK_HUBS', 'names own, as our own desk is called');
    needs('LEDGER_URL', ['LEDGER_CLIENT_ID', 'LEDGER_CLIENT_SECRET']);
    if (NODE_ENV === 'production') {
      for (const name of ['OIDC', 'SERVICEDESK_OIDC'] as const) {
        if (settings[`${name}_ISSUER`] && settings[`${name}_ACR`].length === 0)
          complain(`${name}_ACR`, 'is missing, and production needs to know which levels of assurance are enough');
      }
      if (settings.SERVICEDESK_OIDC_ISSUER && !settings.SERVICEDESK_HOURS)
        complain('SERVICEDESK_HOURS', 'is missing, and production needs to know when somebody is there');
      if (settings.SERVICEDESK_HOURS && !settings.SERVICEDESK_OIDC_ISSUER)
        complain('SERVICEDESK_OIDC_ISSUER', 'is missing, and SERVICEDESK_HOURS is nothing without it in production');
      for (const name of ADDRESSES) {
        const url = settings[name];
        if (url && !isSecure(url)) complain(name, 'is not https, which production needs');
      }
    }
    for (const { name } of settings.KORTLOTSEN_SECRETS_EXPIRE) {
      if (!settings[name]?.length) complain('KORTLOTSEN_SECRETS_EXPIRE', `tells when ${name} ends, and it is not set`);
    }
    if (settings.SERVICEDESK_TEAMS_CHANNEL && !MicrosoftAppId)
      complain('MicrosoftAppId', 'is missing, and SERVICEDESK_TEAMS_CHANNEL needs it');
    const teams = new URL(settings.TEAMS_SERVICE_URL).hostname;
    if (settings.SERVICEDESK_TEAMS_CHANNEL && !isAllowedHost(teams, settings.BOT_SERVICE_HOSTS))
      complain('TEAMS_SERVICE_URL', 'is at a host that BOT_SERVICE_HOSTS does not allow');
    if (MicrosoftAppId && !MicrosoftAppTenantId)
      complain('MicrosoftAppTenantId', 'is missing, and MicrosoftAppId needs it');
    if (MicrosoftAppId && !MicrosoftAppPassword)
      complain('MicrosoftAppPassword', 'is missing, and MicrosoftAppId needs it');
    if (!MicrosoftAppId && MicrosoftAppPassword)
      complain('MicrosoftAppId', 'is missing, and MicrosoftAppPassword is nothing without it');
  });

/** Of neighbours, which secrets are sent to. */
const ADDRESSES = [
  'OIDC_ISSUER',
  'SERVICEDESK_OIDC_ISSUER',
  'LEDGER_URL',
  'LEDGER_TOKEN_URL',
  'AZURE_DIRECT_LINE_URL',
  'ToBotFromChannelOpenIdMetadataUrl',
  'ToChannelFromBotLoginUrl',
  'TEAMS_SERVICE_URL',
] as const;

const isSecure = (url: string): boolean =>
  url.startsWith('https:') || LOOPBACK.includes(new URL(url).hostname.replace(/^\[|\]$/g, ''));

/** What production cannot do without, by what is run in it. */
const needed: Record<Purpose, readonly (keyof z.infer<typeof Environment>)[]> = {
  assistant: ['KORTLOTSEN_PUBLIC_URL', 'KORTLOTSEN_RETENTION_DAYS', 'KORTLOTSEN_RETENTION_DECISION'],
  ledger: ['LEDGER_CLIENTS'],
  command: [],
};

/** As the environment is given. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** What is told of a setting where it is declared. */
const Told = z.strictObject({
  /** Which part of the reference it stands in. */
  part: z.enum([
    'place',
    'database',
    'retention',
    'students',
    'signIn',
    'ledger',
    'servicedesk',
    'teams',
    'teamsPackage',
    'directLine',
  ]),
  means: z.string().min(1),
  /** What holds without it. It is left out where that is a default that can be written. */
  without: z.string().min(1).optional(),
  /** Whoever knows it can do something with it. So it may be in a file, which a setting named so and `_FILE` names. */
  isSecret: z.literal(true).optional(),
});

/** A setting, as the reference has it. */
export type Described = z.infer<typeof Told> & {
  name: string;
  without: string;
  /** The commands that cannot do without it: to serve, in production alone. */
  neededBy: readonly string[];
};

/** Every setting there is. */
export function describeSettings(): Described[] {
  const shapes: Record<string, z.ZodType>[] = [Environment.shape, Packaging.shape];
  const names = new Set(shapes.flatMap((shape) => Object.keys(shape)));
  return [...names].map((name) => {
    const { data } = Told.safeParse(shapes.find((shape) => name in shape)?.[name]?.meta());
    const without = data?.without ?? defaultOf(name);
    if (!data || without === undefined)
      throw new Error(`${name} is not described: add .meta({ part, means, without }) where it is declared.`);
    return { ...data, name, without, neededBy: whoNeeds(name) };
  });
}

function defaultOf(name: string): string | undefined {
  const { data } = Environment.safeParse({});
  const value: unknown = data && Reflect.get(data, name);
  const written = Array.isArray(value) ? value.join(' ') : typeof value === 'number' ? String(value) : value;
  return typeof written === 'string' && written !== '' ? `\`${written}\`` : undefined;
}

function whoNeeds(name: string): string[] {
  const isOf = (names: readonly string[]) => names.includes(name);
  const missing = Packaging.safeParse({}).error?.issues.map(({ path }) => String(path[0])) ?? [];
  return [
    ...(isOf(needed.assistant) ? ['serve'] : []),
    ...(isOf(needed.ledger) ? ['ledger serve'] : []),
    ...(isOf(missing) ? ['teams package'] : []),
  ];
}

/** Those that may be in a file. */
const secrets = Object.entries<z.ZodType>(Environment.shape)
  .filter(([, schema]) => Told.safeParse(schema.meta()).data?.isSecret)
  .map(([name]) => ({ name, inFile: `${name}_FILE` }));

/** The environment, with each secret whose file it names read from that. What cannot be read stays a file. */
export function withSecrets(environment: Variables, read: (file: string) => string | undefined): Variables {
  const whole = { ...environment };
  for (const { name, inFile } of secrets) {
    const file = whole[inFile];
    const secret = file === undefined || whole[name] !== undefined ? undefined : read(file);
    if (secret === undefined) continue;
    // Editors end a file with a line feed.
    whole[name] = secret.trimEnd();
    whole[inFile] = undefined;
  }
  return whole;
}

/** Throws one problem with every complaint. The values themselves are not repeated in it. */
export function readSettings(environment: Variables, purpose: Purpose = 'assistant'): Settings {
  const { data, error } = Environment.safeParse(environment);
  const isProduction = environment.NODE_ENV === 'production';
  const missing = isProduction ? needed[purpose].filter((name) => !environment[name]) : [];
  const unread = secrets.filter(({ inFile }) => environment[inFile] !== undefined);
  if (!data || missing.length > 0 || unread.length > 0) {
    const complaints = [
      ...(error?.issues ?? []).map(complaintOf),
      ...missing.map((name) => `${name} is missing, and production needs it`),
      ...unread.map(({ name, inFile }) =>
        environment[name] === undefined
          ? `${inFile} names a file that cannot be read`
          : `${inFile} is set as well as ${name}; leave one of them out`,
      ),
    ];
    throw refusalFor(complaints);
  }
  const { OIDC_ISSUER, OIDC_CLIENT_ID = '', OIDC_CLIENT_SECRET = '', OIDC_HOLDER_CLAIM = '' } = data;
  const { LEDGER_URL, LEDGER_TOKEN_URL, LEDGER_CLIENT_ID = '', LEDGER_CLIENT_SECRET = '' } = data;
  const { KORTLOTSEN_SERVICEDESK, KORTLOTSEN_IT_PORTAL, KORTLOTSEN_BOOKING_CALENDAR } = data;
  return {
    contacts: {
      ...(KORTLOTSEN_SERVICEDESK && { servicedesk: KORTLOTSEN_SERVICEDESK }),
      ...(KORTLOTSEN_IT_PORTAL && { itPortal: KORTLOTSEN_IT_PORTAL }),
      ...(KORTLOTSEN_BOOKING_CALENDAR && { bookingCalendar: KORTLOTSEN_BOOKING_CALENDAR }),
    },
    hasColour: !data.NO_COLOR,
    isProduction: data.NODE_ENV === 'production',
    host: data.HOST,
    port: data.PORT,
    publicUrl: data.KORTLOTSEN_PUBLIC_URL,
    databaseUrl: data.DATABASE_URL,
    dataFolder: data.KORTLOTSEN_DATA,
    contentFolder: data.KORTLOTSEN_CONTENT,
    hubs: data.DIRECT_LINE_HUBS,
    deskHubs: data.SERVICEDESK_HUBS,
    azureDirectLine: data.AZURE_DIRECT_LINE_SECRET
      ? { url: data.AZURE_DIRECT_LINE_URL, secret: data.AZURE_DIRECT_LINE_SECRET }
      : undefined,
    embedOrigins: data.KORTLOTSEN_EMBED_ORIGINS,
    accent: data.KORTLOTSEN_ACCENT,
    trustedProxies: data.KORTLOTSEN_TRUSTED_PROXIES,
    bot: readBot(data),
    identity: OIDC_ISSUER
      ? {
          issuer: OIDC_ISSUER,
          clientId: OIDC_CLIENT_ID,
          clientSecret: OIDC_CLIENT_SECRET,
          scope: data.OIDC_SCOPE,
          holderClaim: OIDC_HOLDER_CLAIM,
          acr: data.OIDC_ACR,
        }
      : undefined,
    proofLasts: { minutes: data.KORTLOTSEN_PROOF_MINUTES, idleMinutes: data.KORTLOTSEN_PROOF_IDLE_MINUTES },
    ledger: LEDGER_URL
      ? {
          url: LEDGER_URL,
          ...(LEDGER_TOKEN_URL && { tokenUrl: LEDGER_TOKEN_URL }),
          clientId: LEDGER_CLIENT_ID,
          clientSecret: LEDGER_CLIENT_SECRET,
        }
      : undefined,
    ledgerClients: data.LEDGER_CLIENTS,
    retention: { days: data.KORTLOTSEN_RETENTION_DAYS, decision: data.KORTLOTSEN_RETENTION_DECISION },
    servicedesk: readServicedesk(data),
    drainSeconds: data.KORTLOTSEN_DRAIN_SECONDS,
    logLevel: data.LOG_LEVEL,
    metricsToken: data.KORTLOTSEN_METRICS_TOKEN,
    secretsExpire: data.KORTLOTSEN_SECRETS_EXPIRE,
  };
}

const complaintOf = ({ path, message }: z.core.$ZodIssue): string => `${String(path[0])} ${message}`;

const refusalFor = (complaints: readonly string[]): StartupProblem =>
  new StartupProblem(
    'settingsAreWrong',
    `The settings cannot be used:\n${complaints.map((complaint) => `  ${complaint}`).join('\n')}`,
  );

/** As above, of what `teams package` needs. The bot's password is not asked for, nor anything else that serving takes. */
export function readPackageSettings(environment: Variables): PackageSettings {
  const { data, error } = Packaging.safeParse(environment);
  if (!data) {
    throw refusalFor(
      error.issues.map((issue) =>
        environment[String(issue.path[0])] === undefined
          ? `${String(issue.path[0])} is missing, and teams package needs it`
          : complaintOf(issue),
      ),
    );
  }
  return {
    appId: data.MicrosoftAppId,
    tenantId: data.MicrosoftAppTenantId,
    publicUrl: data.KORTLOTSEN_PUBLIC_URL,
    accent: data.KORTLOTSEN_ACCENT,
    developer: {
      name: data.TEAMS_DEVELOPER_NAME,
      websiteUrl: data.TEAMS_DEVELOPER_URL,
      privacyUrl: data.TEAMS_PRIVACY_URL ?? `${data.KORTLOTSEN_PUBLIC_URL}/records`,
      termsUrl: data.TEAMS_TERMS_URL,
    },
  };
}

function readBot(data: z.infer<typeof Environment>): BotSettings | undefined {
  const { MicrosoftAppId: appId, MicrosoftAppTenantId: tenantId = '', MicrosoftAppPassword: password = '' } = data;
  return appId === undefined
    ? undefined
    : {
        appId,
        tenantId,
        password,
        tokenUrl: `${data.ToChannelFromBotLoginUrl}/${tenantId}/oauth2/v2.0/token`,
        audience: data.ToChannelFromBotOAuthScope,
        issuer: data.ToBotFromChannelTokenIssuer,
        metadataUrl: data.ToBotFromChannelOpenIdMetadataUrl,
        serviceHosts: data.BOT_SERVICE_HOSTS,
      };
}

function readServicedesk(data: z.infer<typeof Environment>): ServicedeskSettings | undefined {
  const { SERVICEDESK_OIDC_ISSUER: issuer, SERVICEDESK_HOURS: spans, SERVICEDESK_CLOSED_DAYS: closedDays = [] } = data;
  const { SERVICEDESK_OIDC_CLIENT_ID: clientId = '', SERVICEDESK_OIDC_CLIENT_SECRET: clientSecret = '' } = data;
  if (!issuer && data.NODE_ENV === 'production') return undefined;
  return {
    hours: spans && { spans, closedDays },
    channel: data.SERVICEDESK_TEAMS_CHANNEL
      ? { name: data.SERVICEDESK_TEAMS_CHANNEL, serviceUrl: data.TEAMS_SERVICE_URL }
      : undefined,
    identity: issuer
      ? {
          issuer,
          clientId,
          clientSecret,
          scope: data.SERVICEDESK_OIDC_SCOPE,
          roleClaim: data.SERVICEDESK_OIDC_ROLE_CLAIM,
          agentRole: data.SERVICEDESK_OIDC_AGENT_ROLE ?? '',
          editorRole: data.SERVICEDESK_OIDC_EDITOR_ROLE,
          acr: data.SERVICEDESK_OIDC_ACR,
        }
      : undefined,
  };
}
