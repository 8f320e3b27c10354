import { describe, expect, it } from '@jest/globals';
import { readSettings } from '../../src/settings.ts';

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
    ['an app id without its password', { MicrosoftAppId: APP, MicrosoftAppTenantId: APP }, /MicrosoftAppPassword is/],
    ['an app id without its tenant', { MicrosoftAppId: APP, MicrosoftAppPassword: 's' }, /MicrosoftAppTenantId is/],
    ['a password without its app id', { MicrosoftAppPassword: 's' }, /MicrosoftAppId is missing/],
  ])('are refused for %s', (_what, environment, complaint) => {
    expect(() => readSettings(environment)).toThrow(complaint);
  });
});
