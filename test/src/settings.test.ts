import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { settingsReference, unknownSettings } from '../../src/cli/settings.ts';
import { describeSettings, readPackageSettings, readSettings, withSecrets } from '../../src/settings.ts';
import { production, root } from '../product.ts';

const provider = {
  OIDC_ISSUER: 'https://id.example.se',
  OIDC_CLIENT_ID: 'kortlotsen',
  OIDC_CLIENT_SECRET: 'secret',
  OIDC_HOLDER_CLAIM: 'personalIdentityNumber',
};
const servicedesk = {
  SERVICEDESK_HOURS: 'mån-tors 07:30-17:00, fre 07:30-16:00',
  SERVICEDESK_OIDC_ISSUER: 'https://login.example.se',
  SERVICEDESK_OIDC_CLIENT_ID: 'servicedesk',
  SERVICEDESK_OIDC_CLIENT_SECRET: 'secret',
  SERVICEDESK_OIDC_AGENT_ROLE: 'kortlotsen-agent',
  SERVICEDESK_OIDC_ACR: 'urn:loa3',
};
const HASH = 'a'.repeat(64);
const CHANNEL = '19:desk@thread.tacv2';
const APP = '7c1f9a52-6f0e-4c3e-9f0a-5a1b2c3d4e5f';

describe('the settings', () => {
  it('need nothing of a machine it is tried on, which nobody else can reach', () => {
    expect(readSettings({})).toEqual({
      contacts: {},
      hasColour: true,
      isProduction: false,
      host: '127.0.0.1',
      port: 3978,
      publicUrl: undefined,
      databaseUrl: undefined,
      dataFolder: 'data',
      hubs: [],
      deskHubs: [],
      azureDirectLine: undefined,
      embedOrigins: [],
      accent: undefined,
      trustedProxies: [],
      bot: undefined,
      identity: undefined,
      proofLasts: { minutes: 30, idleMinutes: 10 },
      ledger: undefined,
      ledgerClients: [],
      retention: { days: undefined, decision: undefined },
      servicedesk: { hours: undefined, identity: undefined },
      drainSeconds: 0,
      logLevel: 'info',
      metricsToken: undefined,
      secretsExpire: [],
    });
  });

  it('know the last day of secrets that are set, and of no others', () => {
    const read = (expire: string, rest: Record<string, string> = provider) =>
      readSettings({ ...rest, KORTLOTSEN_SECRETS_EXPIRE: expire }).secretsExpire;
    expect(read('OIDC_CLIENT_SECRET=2027-05-01')).toEqual([{ name: 'OIDC_CLIENT_SECRET', day: '2027-05-01' }]);
    expect(() => read('OIDC_CLIENT_SECRET=2027-05-01', {})).toThrow('OIDC_CLIENT_SECRET ends, and it is not set');
    for (const wrong of ['OIDC_CLIENT_SECRET', 'OIDC_CLIENT_SECRET=1 maj', 'HOME=2027-05-01', '=2027-05-01'])
      expect(() => read(wrong)).toThrow(
        /KORTLOTSEN_SECRETS_EXPIRE holds something that is no secret with its last day/,
      );
    const twice = 'OIDC_CLIENT_SECRET=2027-05-01 OIDC_CLIENT_SECRET=2028-05-01';
    expect(() => read(twice)).toThrow('two last days of the same secret');
  });

  it('take no token for the metrics that could be guessed', () => {
    const read = (KORTLOTSEN_METRICS_TOKEN: string) => readSettings({ KORTLOTSEN_METRICS_TOKEN }).metricsToken;
    expect(read('a'.repeat(24))).toBe('a'.repeat(24));
    expect(() => read('a'.repeat(23))).toThrow('KORTLOTSEN_METRICS_TOKEN is shorter than 24 characters');
    expect(() => read(`${'a'.repeat(24)} b`)).toThrow('KORTLOTSEN_METRICS_TOKEN has a character');
  });

  it('give contact details and colours as the deployment has them', () => {
    const { contacts, hasColour } = readSettings({ KORTLOTSEN_SERVICEDESK: ' telefon 08-000 00 00 ', NO_COLOR: '1' });
    expect(contacts).toEqual({ servicedesk: 'telefon 08-000 00 00' });
    expect(hasColour).toBe(false);
  });

  it('let those hubs have humans of their own that are hubs, and none that is called as our own desk is', () => {
    const hubs = `skolan:${HASH},own:${HASH}`;
    const read = (names: string) => readSettings({ DIRECT_LINE_HUBS: hubs, SERVICEDESK_HUBS: names }).deskHubs;
    expect(read('skolan')).toEqual(['skolan']);
    expect(() => read('skolan, regionen')).toThrow('SERVICEDESK_HUBS names one that is not in DIRECT_LINE_HUBS');
    expect(() => read('own')).toThrow('SERVICEDESK_HUBS names own');
  });

  it('take a deployment as it is in production', () => {
    const settings = readSettings({
      NODE_ENV: 'production',
      HOST: '0.0.0.0',
      PORT: '8080',
      KORTLOTSEN_PUBLIC_URL: 'https://kortlotsen.example.se/',
      KORTLOTSEN_RETENTION_DAYS: '365',
      KORTLOTSEN_RETENTION_DECISION: 'beslut 2026-01',
      DATABASE_URL: 'postgresql://bot:secret@db:5432/kortlotsen',
      DIRECT_LINE_HUBS: `skolan:${'a'.repeat(64)}`,
      MicrosoftAppId: APP,
      MicrosoftAppTenantId: APP,
      MicrosoftAppPassword: 'secret',
    });
    expect(settings).toMatchObject({ isProduction: true, host: '0.0.0.0', port: 8080 });
    expect(settings.publicUrl).toBe('https://kortlotsen.example.se');
    expect(settings.bot).toMatchObject({
      appId: APP,
      tenantId: APP,
      password: 'secret',
      tokenUrl: `https://login.microsoftonline.com/${APP}/oauth2/v2.0/token`,
      serviceHosts: ['smba.trafficmanager.net', '.botframework.com'],
    });
  });

  it('are refused with every complaint at once, and without repeating what was written', () => {
    const wrong = {
      KORTLOTSEN_SERVICEDESK: '',
      KORTLOTSEN_IT_PORTAL: '<script>',
      KORTLOTSEN_BOOKING_CALENDAR: 'x'.repeat(201),
      DATABASE_URL: 'mysql://root:hemligt@localhost/db',
      PORT: '70000',
      DIRECT_LINE_HUBS: 'skolan:hemligt',
    };
    expect(() => readSettings(wrong)).toThrow(
      /SERVICEDESK is empty.*\n.*IT_PORTAL holds.*\n.*BOOKING_CALENDAR is longer.*\n.*DATABASE_URL is no.*\n.*PORT is no.*\n.*DIRECT_LINE_HUBS is not written as/s,
    );
    expect(() => readSettings(wrong)).not.toThrow(/script|xxx|hemligt|70000/);
  });

  it.each([
    ['an address others reach, outside production', { HOST: '0.0.0.0' }, /HOST can be reached by others/],
    ['production without its address', { NODE_ENV: 'production' }, /KORTLOTSEN_PUBLIC_URL is missing/],
    [
      'production without a time after which chats go',
      { NODE_ENV: 'production' },
      /KORTLOTSEN_RETENTION_DAYS is missing.*\n.*KORTLOTSEN_RETENTION_DECISION is missing/,
    ],
    ['production with a provider and no level of assurance', { ...production, ...provider }, /OIDC_ACR is missing/],
    [
      'production with a provider by http',
      { ...production, ...provider, OIDC_ISSUER: 'http://id.example.se' },
      /OIDC_ISSUER is not https/,
    ],
    [
      'a provider without a claim to go by',
      { ...provider, OIDC_HOLDER_CLAIM: undefined },
      /OIDC_HOLDER_CLAIM is missing/,
    ],
    ['a client of a provider that is not there', { OIDC_CLIENT_ID: 'kortlotsen' }, /OIDC_ISSUER is missing/],
    ['a scope without openid', { ...provider, OIDC_SCOPE: 'profile' }, /OIDC_SCOPE does not hold openid/],
    [
      'a servicedesk whose hours cannot be read',
      { SERVICEDESK_HOURS: 'dygnet runt' },
      /SERVICEDESK_HOURS cannot be read; write it as mån-tors 07:30-17:00, fre 07:30-16:00$/,
    ],
    [
      'a servicedesk that closes before it opens',
      { SERVICEDESK_HOURS: 'mån 17:00-07:30' },
      /SERVICEDESK_HOURS has a span that ends/,
    ],
    [
      'a day that there is not',
      { ...servicedesk, SERVICEDESK_CLOSED_DAYS: '2026-12-23, 2026-02-30' },
      /SERVICEDESK_CLOSED_DAYS holds something that is no date/,
    ],
    [
      'days that are closed of no hours',
      { SERVICEDESK_CLOSED_DAYS: '2026-12-23' },
      /SERVICEDESK_HOURS is missing, and SERVICEDESK_CLOSED_DAYS/,
    ],
    [
      'a servicedesk without a role to go by',
      { ...servicedesk, SERVICEDESK_OIDC_AGENT_ROLE: undefined },
      /SERVICEDESK_OIDC_AGENT_ROLE is missing/,
    ],
    [
      'a client of a servicedesk that is not there',
      { SERVICEDESK_OIDC_CLIENT_SECRET: 'secret' },
      /SERVICEDESK_OIDC_ISSUER is missing/,
    ],
    [
      'a servicedesk whose scope has no openid',
      { ...servicedesk, SERVICEDESK_OIDC_SCOPE: 'profile' },
      /SERVICEDESK_OIDC_SCOPE does not hold openid/,
    ],
    [
      'production with a servicedesk of no hours',
      { ...production, ...servicedesk, SERVICEDESK_HOURS: undefined },
      /SERVICEDESK_HOURS is missing/,
    ],
    [
      'production with a servicedesk of no level of assurance',
      { ...production, ...servicedesk, SERVICEDESK_OIDC_ACR: undefined },
      /SERVICEDESK_OIDC_ACR is missing/,
    ],
    [
      'production with a servicedesk that signs in by http',
      { ...production, ...servicedesk, SERVICEDESK_OIDC_ISSUER: 'http://login.example.se' },
      /SERVICEDESK_OIDC_ISSUER is not https/,
    ],
    [
      'production with hours of a servicedesk that nobody can sign in to',
      { ...production, SERVICEDESK_HOURS: servicedesk.SERVICEDESK_HOURS },
      /SERVICEDESK_OIDC_ISSUER is missing, and SERVICEDESK_HOURS/,
    ],
    ['a ledger without a client', { LEDGER_URL: 'https://ledger.example.se' }, /LEDGER_CLIENT_ID is missing/],
    ['clients of the ledger that cannot be read', { LEDGER_CLIENTS: 'bot:hemligt:cards:read' }, /LEDGER_CLIENTS/],
    ['a proof that lasts for days', { KORTLOTSEN_PROOF_MINUTES: '2000' }, /KORTLOTSEN_PROOF_MINUTES is more than 480/],
    [
      'chats that are kept for no time',
      { KORTLOTSEN_RETENTION_DAYS: '0' },
      /KORTLOTSEN_RETENTION_DAYS is less than a day/,
    ],
    [
      'would let a stop take for ever',
      { KORTLOTSEN_DRAIN_SECONDS: '301' },
      /KORTLOTSEN_DRAIN_SECONDS is more than 300 seconds/,
    ],
    ['a hub without a hash', { DIRECT_LINE_HUBS: 'skolan' }, /DIRECT_LINE_HUBS is not written as direct-line hub/],
    ['a hub in capitals', { DIRECT_LINE_HUBS: `Skolan:${HASH}` }, /DIRECT_LINE_HUBS is not written as/],
    [
      'a hub with a page for an origin',
      { DIRECT_LINE_HUBS: `a:${HASH}:https://a.se/chatt` },
      /DIRECT_LINE_HUBS is not/,
    ],
    [
      'two hubs of one name, with other pages',
      { DIRECT_LINE_HUBS: `a:${HASH},a:${HASH}:https://a.se` },
      /DIRECT_LINE_HUBS has two of the same name/,
    ],
    ['a secret of Azure that is empty', { AZURE_DIRECT_LINE_SECRET: '' }, /AZURE_DIRECT_LINE_SECRET is empty/],
    [
      'production with Azure by http',
      { ...production, AZURE_DIRECT_LINE_URL: 'http://azure.example.se' },
      /AZURE_DIRECT_LINE_URL is not https/,
    ],
    ['a page to be embedded in, with a path', { KORTLOTSEN_EMBED_ORIGINS: 'https://a.se/x' }, /EMBED_ORIGINS holds/],
    ['any page to be embedded in', { KORTLOTSEN_EMBED_ORIGINS: '*' }, /EMBED_ORIGINS holds/],
    ['a colour by its name', { KORTLOTSEN_ACCENT: 'blue' }, /KORTLOTSEN_ACCENT is no colour/],
    ['a colour that white cannot be read on', { KORTLOTSEN_ACCENT: '#ffcc00' }, /KORTLOTSEN_ACCENT is too light/],
    ['a proxy by its name', { KORTLOTSEN_TRUSTED_PROXIES: 'proxy.example.se' }, /TRUSTED_PROXIES holds/],
    ['a network with too many bits', { KORTLOTSEN_TRUSTED_PROXIES: '10.0.0.0/33' }, /TRUSTED_PROXIES holds/],
    ['an app id without its password', { MicrosoftAppId: APP, MicrosoftAppTenantId: APP }, /MicrosoftAppPassword is/],
    ['an app id without its tenant', { MicrosoftAppId: APP, MicrosoftAppPassword: 's' }, /MicrosoftAppTenantId is/],
    [
      'production with the keys of the Bot Framework by http',
      { ...production, ToBotFromChannelOpenIdMetadataUrl: 'http://login.example.se/keys' },
      /ToBotFromChannelOpenIdMetadataUrl is not https/,
    ],
    [
      'production with the bot’s tokens by http',
      { ...production, ToChannelFromBotLoginUrl: 'http://login.example.se' },
      /ToChannelFromBotLoginUrl is not https/,
    ],
    [
      'a channel by its address',
      { SERVICEDESK_TEAMS_CHANNEL: 'https://teams.microsoft.com/l/channel/19' },
      /no channel/,
    ],
    ['a channel without a bot', { SERVICEDESK_TEAMS_CHANNEL: CHANNEL }, /MicrosoftAppId is missing/],
    [
      'a channel where no reply may be sent',
      { SERVICEDESK_TEAMS_CHANNEL: CHANNEL, TEAMS_SERVICE_URL: 'https://teams.example.se/' },
      /TEAMS_SERVICE_URL is at a host/,
    ],
    ['replies to any host', { BOT_SERVICE_HOSTS: '*' }, /BOT_SERVICE_HOSTS holds/],
    ['replies to an address', { BOT_SERVICE_HOSTS: 'https://smba.trafficmanager.net/' }, /BOT_SERVICE_HOSTS holds/],
    ['a bot of many tenants', { MicrosoftAppType: 'MultiTenant' }, /MicrosoftAppType is not SingleTenant/],
    ['a password without its app id', { MicrosoftAppPassword: 's' }, /MicrosoftAppId is missing/],
  ])('are refused for %s', (_what, environment, complaint) => {
    expect(() => readSettings(environment)).toThrow(complaint);
  });

  it('take a provider of identity, a ledger elsewhere and the clients of our own', () => {
    const hash = 'a'.repeat(64);
    const { identity, ledger, ledgerClients, retention } = readSettings({
      ...production,
      ...provider,
      OIDC_ACR: 'http://id.sambi.se/loa/loa3, urn:loa4',
      LEDGER_URL: 'https://ledger.example.se/',
      LEDGER_CLIENT_ID: 'bot',
      LEDGER_CLIENT_SECRET: 'secret',
      LEDGER_CLIENTS: `bot:${hash}:cards:read+cards:revoke, revisor:${hash}:ledger:audit`,
    });
    expect(identity).toMatchObject({ scope: 'openid', acr: ['http://id.sambi.se/loa/loa3', 'urn:loa4'] });
    expect(ledger).toEqual({ url: 'https://ledger.example.se', clientId: 'bot', clientSecret: 'secret' });
    expect(ledgerClients).toEqual([
      { id: 'bot', secretHash: hash, scopes: ['cards:read', 'cards:revoke'] },
      { id: 'revisor', secretHash: hash, scopes: ['ledger:audit'] },
    ]);
    expect(retention).toEqual({ days: 365, decision: 'beslut 2026-01' });
  });

  it('take a servicedesk with its hours, the days it is closed and where those who work there sign in', () => {
    const closed = { SERVICEDESK_CLOSED_DAYS: '2026-12-23, 2027-06-05' };
    const settings = readSettings({ ...production, ...servicedesk, ...closed, SERVICEDESK_OIDC_ROLE_CLAIM: 'groups' });
    expect(settings.servicedesk).toEqual({
      hours: {
        spans: [...[1, 2, 3, 4].map((on) => ({ on, from: 450, to: 1_020 })), { on: 5, from: 450, to: 960 }],
        closedDays: ['2026-12-23', '2027-06-05'],
      },
      identity: {
        issuer: 'https://login.example.se',
        clientId: 'servicedesk',
        clientSecret: 'secret',
        scope: 'openid profile',
        roleClaim: 'groups',
        agentRole: 'kortlotsen-agent',
        editorRole: undefined,
        acr: ['urn:loa3'],
      },
    });
  });

  it('have no servicedesk in production unless its people can sign in, and one of invented people where it is tried', () => {
    expect(readSettings(production).servicedesk).toBeUndefined();
    const { servicedesk: tried } = readSettings({ SERVICEDESK_HOURS: 'mån 08:00-09:00' });
    expect(tried).toEqual({ hours: { spans: [{ on: 1, from: 480, to: 540 }], closedDays: [] }, identity: undefined });
  });

  it('take hubs with the pages that may use them, the pages that may show the chat, a colour, and proxies', () => {
    const settings = readSettings({
      DIRECT_LINE_HUBS: `skolan:${HASH}, region2:${HASH}:https://a.se+https://b.se:8443`,
      KORTLOTSEN_EMBED_ORIGINS: 'https://vardgivarguiden.example.se, http://localhost:4000',
      KORTLOTSEN_ACCENT: '#00527A',
      KORTLOTSEN_TRUSTED_PROXIES: '10.0.0.0/8, 2001:db8::/32 loopback',
    });
    expect(settings.hubs).toEqual([
      { name: 'skolan', secretHash: HASH, origins: [] },
      { name: 'region2', secretHash: HASH, origins: ['https://a.se', 'https://b.se:8443'] },
    ]);
    expect(settings.embedOrigins).toEqual(['https://vardgivarguiden.example.se', 'http://localhost:4000']);
    expect(settings.accent).toBe('#00527A');
    expect(settings.trustedProxies).toEqual(['10.0.0.0/8', '2001:db8::/32', 'loopback']);
  });

  it('take a hub twice, while its secret is changed', () => {
    const { hubs } = readSettings({ DIRECT_LINE_HUBS: `a:${HASH}:https://a.se,a:${'b'.repeat(64)}:https://a.se` });
    expect(hubs.map(({ secretHash }) => secretHash)).toEqual([HASH, 'b'.repeat(64)]);
  });

  it('take Azure’s Direct Line by its secret, where Azure has it or somewhere else', () => {
    expect(readSettings({ AZURE_DIRECT_LINE_SECRET: 's' }).azureDirectLine).toEqual({
      url: 'https://directline.botframework.com/v3/directline',
      secret: 's',
    });
    const elsewhere = { AZURE_DIRECT_LINE_SECRET: 's', AZURE_DIRECT_LINE_URL: 'https://europe.example.com/v3/' };
    expect(readSettings(elsewhere).azureDirectLine?.url).toBe('https://europe.example.com/v3');
  });

  it('ask nothing more of a command on the database, which serves nobody', () => {
    expect(readSettings({ NODE_ENV: 'production', DATABASE_URL: 'postgresql://db/k' }, 'command')).toMatchObject({
      databaseUrl: 'postgresql://db/k',
      isProduction: true,
    });
  });

  it('ask of a ledger alone only who may use it', () => {
    const hash = 'a'.repeat(64);
    expect(() => readSettings({ NODE_ENV: 'production' }, 'ledger')).toThrow(/LEDGER_CLIENTS is missing/);
    const alone = readSettings({ NODE_ENV: 'production', LEDGER_CLIENTS: `bot:${hash}:cards:read` }, 'ledger');
    expect(alone.ledgerClients).toHaveLength(1);
  });
});

const deployed = {
  MicrosoftAppId: APP,
  MicrosoftAppTenantId: APP,
  KORTLOTSEN_PUBLIC_URL: 'https://kortlotsen.example.se/',
  TEAMS_DEVELOPER_NAME: ' Regionen ',
  TEAMS_DEVELOPER_URL: 'https://region.example.se/kort',
  TEAMS_TERMS_URL: 'https://region.example.se/villkor',
};

describe('the settings of the app package for Teams', () => {
  it('are those of the deployment, without a secret, and lead to our own page of what is kept', () => {
    expect(readPackageSettings(deployed)).toEqual({
      appId: APP,
      tenantId: APP,
      publicUrl: 'https://kortlotsen.example.se',
      accent: '#00527a',
      developer: {
        name: 'Regionen',
        websiteUrl: 'https://region.example.se/kort',
        privacyUrl: 'https://kortlotsen.example.se/records',
        termsUrl: 'https://region.example.se/villkor',
      },
    });
    const own = { KORTLOTSEN_ACCENT: '#7a0052', TEAMS_PRIVACY_URL: 'https://region.example.se/uppgifter' };
    expect(readPackageSettings({ ...deployed, ...own })).toMatchObject({
      accent: '#7a0052',
      developer: { privacyUrl: 'https://region.example.se/uppgifter' },
    });
  });

  it('are all missed at once, and nothing that may be left out is', () => {
    const missing = Object.keys(deployed).map((name) => `  ${name} is missing, and teams package needs it`);
    expect(() => readPackageSettings({})).toThrow(`The settings cannot be used:\n${missing.join('\n')}`);
  });

  const TOO_LONG = `https://region.example.se/${'x'.repeat(2_000)}`;
  it.each([
    ['an app id that is none', { MicrosoftAppId: 'kortlotsen' }, /MicrosoftAppId is no id.*; copy it from/],
    ['a tenant by its name', { MicrosoftAppTenantId: 'region.example.se' }, /MicrosoftAppTenantId is no id.*; copy it/],
    ['an address that is none', { KORTLOTSEN_PUBLIC_URL: 'kortlotsen' }, /PUBLIC_URL is no address; write it as/],
    ['http', { KORTLOTSEN_PUBLIC_URL: 'http://kortlotsen.example.se' }, /PUBLIC_URL is not https, .*; write it as/],
    ['a wildcard', { KORTLOTSEN_PUBLIC_URL: 'https://*.example.se' }, /PUBLIC_URL has a wildcard; name the one host/],
    ['a port', { KORTLOTSEN_PUBLIC_URL: 'https://kort.example.se:8443' }, /PUBLIC_URL has a port, .*; let a proxy/],
    ['an IP address', { KORTLOTSEN_PUBLIC_URL: 'https://192.0.2.7' }, /PUBLIC_URL has an IP address, .*; write it as/],
    ['a longer IP address', { KORTLOTSEN_PUBLIC_URL: 'https://[2001:db8::1]' }, /PUBLIC_URL has an IP address/],
    [
      'this machine',
      { KORTLOTSEN_PUBLIC_URL: 'https://localhost' },
      /PUBLIC_URL cannot be reached from .*; write it as/,
    ],
    ['a host of the office', { KORTLOTSEN_PUBLIC_URL: 'https://kort.local' }, /PUBLIC_URL cannot be reached from/],
    ['half a host', { KORTLOTSEN_PUBLIC_URL: 'https://kortlotsen' }, /PUBLIC_URL has no full name of a host; write/],
    ['a host of signs', { KORTLOTSEN_PUBLIC_URL: 'https://kort_lots.example.se' }, /PUBLIC_URL has no full name/],
    ['a password', { TEAMS_DEVELOPER_URL: 'https://a:b@example.se' }, /DEVELOPER_URL holds a user or a password, .*; /],
    [
      'a query',
      { KORTLOTSEN_PUBLIC_URL: 'https://kort.example.se/?a=1' },
      /PUBLIC_URL has something after a .*; leave/,
    ],
    ['a colour by its name', { KORTLOTSEN_ACCENT: 'blue' }, /KORTLOTSEN_ACCENT is no colour; write it as #00527a/],
    ['a light colour', { KORTLOTSEN_ACCENT: '#ffcc00' }, /KORTLOTSEN_ACCENT is too light .*; choose a darker one/],
    ['half a colour', { KORTLOTSEN_ACCENT: '#05a' }, /KORTLOTSEN_ACCENT is no colour; write it as #00527a/],
    ['no name', { TEAMS_DEVELOPER_NAME: ' ' }, /TEAMS_DEVELOPER_NAME is empty; write who/],
    [
      'a long name',
      { TEAMS_DEVELOPER_NAME: 'x'.repeat(33) },
      /DEVELOPER_NAME is longer than the 32 .*; write a shorter/,
    ],
    ['a name on two lines', { TEAMS_DEVELOPER_NAME: 'Regionen\nKort' }, /DEVELOPER_NAME holds a line break; write/],
    ['a website by http', { TEAMS_DEVELOPER_URL: 'http://region.example.se' }, /DEVELOPER_URL is not https/],
    ['no website', { TEAMS_DEVELOPER_URL: '' }, /TEAMS_DEVELOPER_URL is no address; write it as/],
    ['privacy by http', { TEAMS_PRIVACY_URL: 'http://region.example.se' }, /TEAMS_PRIVACY_URL is not https/],
    ['terms in an e-mail', { TEAMS_TERMS_URL: 'mailto:kort@example.se' }, /TEAMS_TERMS_URL is not https/],
    ['terms at a long address', { TEAMS_TERMS_URL: TOO_LONG }, /TERMS_URL is longer than 2000 .*; write a shorter/],
  ])('are refused for %s, with what to do, and are not repeated', (_what, wrong, complaint) => {
    const read = () => readPackageSettings({ ...deployed, ...wrong });
    expect(read).toThrow(complaint);
    expect(read).not.toThrow(/hemligt|xxx|192|a:b@/);
    // One mistake is one complaint.
    expect(read).toThrow(/^.*\n.*$/);
  });
});

describe('a secret', () => {
  const files: Record<string, string> = {
    '/run/secrets/password': 'hemligt\n',
    '/run/secrets/url': 'postgresql://db/k',
  };
  const read = (environment: Record<string, string>) => readSettings(withSecrets(environment, (file) => files[file]));

  it('may be in a file, which ends with a line feed or not', () => {
    const { bot, databaseUrl } = read({
      MicrosoftAppId: APP,
      MicrosoftAppTenantId: APP,
      MicrosoftAppPassword_FILE: '/run/secrets/password',
      DATABASE_URL_FILE: '/run/secrets/url',
    });
    expect({ password: bot?.password, databaseUrl }).toEqual({ password: 'hemligt', databaseUrl: 'postgresql://db/k' });
  });

  it.each([
    ['a file that is not there', { DATABASE_URL_FILE: '/nowhere' }, /DATABASE_URL_FILE names a file that cannot be/],
    [
      'a file and a value',
      { DATABASE_URL_FILE: '/run/secrets/url', DATABASE_URL: 'postgresql://db/k' },
      /DATABASE_URL_FILE is set as well as DATABASE_URL/,
    ],
    [
      'what is wrong in a file, without repeating it',
      { DATABASE_URL_FILE: '/run/secrets/password' },
      /DATABASE_URL is no address of PostgreSQL; [^\n]*$/,
    ],
  ])('is refused for %s', (_what, environment, complaint) => {
    expect(() => read(environment)).toThrow(complaint);
  });

  it('is read by every command in the same way, secrets in files and all', () => {
    const program = readFileSync(join(root, 'src/main.ts'), 'utf8');
    const readings = program.split('\n').filter((line) => /process\.env\b/.test(line));
    // Whoever needs it asks environment().
    expect(readings.map((line) => line.trim())).toEqual(['withSecrets(process.env, (file) => {']);
  });
});

describe('the reference', () => {
  it('tells of every setting, and is as kortlotsen settings prints it', () => {
    const page = readFileSync(join(root, 'src/operations/configuration.md'), 'utf8');
    expect(page === settingsReference() || 'It is old: npx kortlotsen settings > src/operations/configuration.md').toBe(
      true,
    );
    expect(describeSettings().map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(deployed)));
  });

  it('knows which are secrets', () => {
    const secrets = describeSettings().filter(({ isSecret }) => isSecret);
    const named = describeSettings().filter(({ name }) => /SECRET$|PASSWORD|Password|TOKEN$|DATABASE_URL/.test(name));
    expect(secrets).toEqual(named);
  });

  it('knows what looks like a setting and is none', () => {
    const environment = { PATH: '/bin', OIDC_ISUER: 'x', OIDC_CLIENT_SECRET_FILE: 'x', OIDC_ISSUER_FILE: 'x' };
    expect(unknownSettings(environment)).toEqual(['OIDC_ISUER', 'OIDC_ISSUER_FILE']);
  });
});
