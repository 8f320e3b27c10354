import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { createAddresses, isFromOurPage } from '../../../src/web/requests.ts';

const PUBLIC = 'https://kortlotsen.example.se';

function request(headers: Record<string, string>, remoteAddress = '127.0.0.1'): IncomingMessage {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: remoteAddress });
  return Object.assign(new IncomingMessage(socket), { headers: { host: 'inside:3978', ...headers } });
}

describe('a request is from our own page', () => {
  it.each<[boolean, string, Record<string, string>]>([
    [true, 'when the browser says so', { 'sec-fetch-site': 'same-origin', origin: 'null' }],
    [true, 'when somebody has typed its address', { 'sec-fetch-site': 'none' }],
    [true, 'when its origin is the public one', { origin: PUBLIC }],
    [true, 'when its origin is the host it came to', { origin: 'http://inside:3978' }],
    [true, 'when no page is behind it', {}],
    [false, 'when the browser says another site', { 'sec-fetch-site': 'cross-site', origin: PUBLIC }],
    [false, 'when the browser says a neighbour', { 'sec-fetch-site': 'same-site', origin: PUBLIC }],
    [false, 'when its origin is another', { origin: 'https://elsewhere.example' }],
    [false, 'when its origin begins as ours', { origin: `${PUBLIC}.evil.example` }],
    [false, 'when its origin is ours by another scheme', { origin: 'http://kortlotsen.example.se' }],
    [false, 'when it has no origin to tell', { origin: 'null' }],
  ])('%s: %s', (isOurs, _when, headers) => {
    expect(isFromOurPage(request(headers), PUBLIC)).toBe(isOurs);
  });
});

describe('the address of a request', () => {
  const addressOf = createAddresses(['10.0.0.0/8']);

  it.each([
    ['is the sender’s, whatever it says of others', '192.0.2.1', '198.51.100.7', '192.0.2.1'],
    ['is whom a trusted proxy asks for', '10.1.2.3', '198.51.100.7', '198.51.100.7'],
    [
      'is the last that no proxy of ours has told of',
      '10.1.2.3',
      '203.0.113.9, 198.51.100.7, 10.9.9.9',
      '198.51.100.7',
    ],
    ['is the proxy’s, when it tells of no address', '10.1.2.3', 'nonsense', '10.1.2.3'],
    ['is that of IPv4 inside IPv6', '::ffff:192.0.2.1', '', '192.0.2.1'],
    ['is a network of IPv6', '2001:db8:1:2:3:4:5:6', '', '2001:db8:1:2::/64'],
    ['is a network of IPv6, however it is written', '2001:0DB8:1::6', '', '2001:db8:1:0::/64'],
  ])('%s', (_what, remote, forwarded, address) => {
    expect(addressOf(request(forwarded === '' ? {} : { 'x-forwarded-for': forwarded }, remote))).toBe(address);
  });

  it('is believed of no proxy, when none is trusted', () => {
    expect(createAddresses([])(request({ 'x-forwarded-for': '198.51.100.7' }, '10.1.2.3'))).toBe('10.1.2.3');
  });
});
