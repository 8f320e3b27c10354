/** The provider one tries the assistant with: never in production, and quiet. */
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { startDevelopmentProvider } from '../../../src/identity/development-provider.ts';
import { content } from '../../product.ts';
import { openBrowser } from './browsing.ts';

const world = {
  isProduction: false,
  host: '127.0.0.1',
  names: ['active'],
  identifierOf: (name: string) => name,
  content,
  redirectUris: () => ['http://127.0.0.1:1/sign-in/callback'],
};
afterEach(() => {
  jest.restoreAllMocks();
});

describe('the provider of the development', () => {
  it.each([
    ['in production', { isProduction: true }],
    ['where others reach us', { host: '0.0.0.0' }],
    ['on an address of the network', { host: '192.0.2.1' }],
  ])('does not start %s', async (_name, changes) => {
    await expect(startDevelopmentProvider({ ...world, ...changes })).rejects.toMatchObject({ exitCode: 10 });
  });

  it('prints nothing, from its start to a login', async () => {
    const printed = (['log', 'info', 'warn', 'error'] as const).map((way) => jest.spyOn(console, way));
    const uris: string[] = [];
    const provider = await startDevelopmentProvider({ ...world, redirectUris: () => uris });
    const browser = openBrowser();
    const address = new URL(`${provider.issuer}/auth`);
    const asked = {
      client_id: provider.clientId,
      response_type: 'code',
      scope: 'openid',
      redirect_uri: 'http://127.0.0.1:1/sign-in/callback',
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
    };
    for (const [name, value] of Object.entries(asked)) address.searchParams.set(name, value);
    expect((await browser.open(address)).status).toBe(400);

    uris.push(asked.redirect_uri);
    const page = await browser.open((await browser.open(address)).location);
    expect(page.text).toContain('Välj vem du vill låtsas vara.');
    expect(page.headers.get('content-security-policy')).toContain("form-action 'self' http://127.0.0.1:1");
    expect((await browser.submit(page.url, { name: 'nobody' })).status).toBe(410);
    const chosen = await browser.submit(page.url, { name: 'active' });
    expect((await browser.open(chosen.location)).location).toMatch(
      /^http:\/\/127\.0\.0\.1:1\/sign-in\/callback\?code=/,
    );
    expect((await browser.open(page.url)).status).toBe(410);

    address.searchParams.delete('code_challenge');
    const refused = new URL((await browser.open(address)).location);
    expect(refused.searchParams.get('error')).toBe('invalid_request');
    await provider.stop();
    for (const spy of printed) expect(spy).not.toHaveBeenCalled();
  });
});
