import { describe, expect, it } from '@jest/globals';
import { readSettings } from '../../src/settings.ts';
import { production } from '../product.ts';

const provider = {
  OIDC_ISSUER: 'https://id.example.se',
  OIDC_CLIENT_ID: 'kortlotsen',
  OIDC_CLIENT_SECRET: 'secret',
  OIDC_HOLDER_CLAIM: 'personalIdentityNumber',
};
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
      directLineSecret: undefined,
      bot: undefined,
      identity: undefined,
      proofLasts: { minutes: 30, idleMinutes: 10 },
      ledger: undefined,
      ledgerClients: [],
      retention: { days: undefined, decision: undefined },
      logLevel: 'info',
    });
  });

  it('give contact details and colours as the deployment has them', () => {
    const { contacts, hasColour } = readSettings({ KORTLOTSEN_SERVICEDESK: ' telefon 08-000 00 00 ', NO_COLOR: '1' });
    expect(contacts).toEqual({ servicedesk: 'telefon 08-000 00 00' });
    expect(hasColour).toBe(false);
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
      DIRECT_LINE_SECRET: 'x'.repeat(32),
      MicrosoftAppId: APP,
      MicrosoftAppTenantId: APP,
      MicrosoftAppPassword: 'secret',
    });
    expect(settings).toMatchObject({ isProduction: true, host: '0.0.0.0', port: 8080 });
    expect(settings.publicUrl).toBe('https://kortlotsen.example.se');
    expect(settings.bot).toEqual({
      MicrosoftAppId: APP,
      MicrosoftAppType: 'SingleTenant',
      MicrosoftAppTenantId: APP,
      MicrosoftAppPassword: 'secret',
    });
  });

  it('are refused with every complaint at once, and without repeating what was written', () => {
    const wrong = {
      KORTLOTSEN_SERVICEDESK: '',
      KORTLOTSEN_IT_PORTAL: '<script>',
      KORTLOTSEN_BOOKING_CALENDAR: 'x'.repeat(201),
      DATABASE_URL: 'mysql://root:hemligt@localhost/db',
      PORT: '70000',
      DIRECT_LINE_SECRET: 'hemligt',
    };
    expect(() => readSettings(wrong)).toThrow(
      /SERVICEDESK is empty.*\n.*IT_PORTAL holds.*\n.*BOOKING_CALENDAR is longer.*\n.*DATABASE_URL is no.*\n.*PORT is no.*\n.*DIRECT_LINE_SECRET is shorter/s,
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
    ['a ledger without a client', { LEDGER_URL: 'https://ledger.example.se' }, /LEDGER_CLIENT_ID is missing/],
    ['clients of the ledger that cannot be read', { LEDGER_CLIENTS: 'bot:hemligt:cards:read' }, /LEDGER_CLIENTS/],
    ['a proof that lasts for days', { KORTLOTSEN_PROOF_MINUTES: '2000' }, /KORTLOTSEN_PROOF_MINUTES is more than 480/],
    [
      'chats that are kept for no time',
      { KORTLOTSEN_RETENTION_DAYS: '0' },
      /KORTLOTSEN_RETENTION_DAYS is less than a day/,
    ],
    ['an app id without its password', { MicrosoftAppId: APP, MicrosoftAppTenantId: APP }, /MicrosoftAppPassword is/],
    ['an app id without its tenant', { MicrosoftAppId: APP, MicrosoftAppPassword: 's' }, /MicrosoftAppTenantId is/],
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

  it('ask of a ledger alone only who may use it', () => {
    const hash = 'a'.repeat(64);
    expect(() => readSettings({ NODE_ENV: 'production' }, 'ledger')).toThrow(/LEDGER_CLIENTS is missing/);
    const alone = readSettings({ NODE_ENV: 'production', LEDGER_CLIENTS: `bot:${hash}:cards:read` }, 'ledger');
    expect(alone.ledgerClients).toHaveLength(1);
  });
});
