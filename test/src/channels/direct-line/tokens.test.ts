import { describe, expect, it } from '@jest/globals';
import { createTokens } from '../../../../src/channels/direct-line/tokens.ts';

const claims = { conversation: 'c', user: 'dl_1' };

describe('a token', () => {
  it('is for one use, of one conversation and one user', async () => {
    const tokens = createTokens('key');
    const { token, expiresIn } = await tokens.issue('chat', claims);
    expect(expiresIn).toBeGreaterThan(15 * 60);
    expect(await tokens.read('chat', token)).toEqual(claims);
    expect(await tokens.read('stream', token)).toBe('invalid');
    expect(await tokens.read('return', token)).toBe('invalid');
  });

  it('tells that it has expired from that it was never ours', async () => {
    const tokens = createTokens('key', { chat: -1, stream: 60, return: 60 });
    const { token } = await tokens.issue('chat', claims);
    expect(await tokens.read('chat', token)).toBe('expired');
    expect(await createTokens('another key').read('chat', token)).toBe('invalid');
  });
});

describe('a token of a hub', () => {
  it('tells the pages that may use it, and no other does', async () => {
    const tokens = createTokens('key');
    const narrowed = { ...claims, origins: ['https://a.se'] };
    expect(await tokens.read('chat', (await tokens.issue('chat', narrowed)).token)).toEqual(narrowed);
    expect(await tokens.read('chat', (await tokens.issue('chat', claims)).token)).toEqual(claims);
  });
});
