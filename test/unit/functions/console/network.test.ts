import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findOrigin, networkOf, parseNetworks } from '../../../../functions/console/network.ts';

const PROXIES = parseNetworks('10.42.0.7, 10.43.0.0/24,fd00::/64')!;
const NOBODY = parseNetworks('192.0.2.1')!;

describe('findOrigin', () => {
  it.each([
    // remote, X-Forwarded-For, client, via a trusted proxy
    ['203.0.113.9', null, '203.0.113.9', false],
    ['::ffff:203.0.113.9', null, '203.0.113.9', false],
    // Knative: the queue-proxy calls from loopback and appended its own peer.
    ['127.0.0.1', '203.0.113.9', '203.0.113.9', false],
    ['127.0.0.1', '203.0.113.9, 10.42.0.7', '203.0.113.9', true],
    ['127.0.0.1', '203.0.113.9, 10.43.0.3, 10.42.0.7', '203.0.113.9', true],
    // A pod that calls the queue-proxy itself, with a list it made up.
    ['127.0.0.1', '10.9.9.9', '10.9.9.9', false],
    ['127.0.0.1', '203.0.113.9, 10.42.0.7, 10.9.9.9', '10.9.9.9', false],
    // Whoever asked the proxy made up what stands before it.
    ['127.0.0.1', '198.51.100.1, 203.0.113.9, 10.42.0.7', '203.0.113.9', true],
    ['127.0.0.1', 'unknown, 10.42.0.7', '', true],
    // The proxy itself asks, without a list.
    ['10.42.0.7', null, '10.42.0.7', true],
    // The one-machine gateway is on loopback: it vouches for nobody.
    ['127.0.0.1', '127.0.0.1', '127.0.0.1', false],
    ['::1', '192.168.1.20', '192.168.1.20', false],
    ['127.0.0.1', '[2001:db8::1]:4711, fd00::2', '2001:db8::1', true],
    ['127.0.0.1', '203.0.113.9:4711', '203.0.113.9', false],
    ['', null, '', false],
  ])('%s after %s is %s (proxy: %s)', (remote, forwarded, client, viaTrustedProxy) => {
    expect(findOrigin(remote, forwarded, PROXIES)).toEqual({ client, viaTrustedProxy });
  });

  it('never believes a list that no listed proxy vouches for, whatever it says', () => {
    fc.assert(
      fc.property(fc.string(), fc.ipV4(), (forged, attacker) => {
        fc.pre(!attacker.startsWith('127.') && attacker !== '192.0.2.1');
        expect(findOrigin('127.0.0.1', `${forged}, ${attacker}`, NOBODY).viaTrustedProxy).toBe(false);
      }),
    );
  });
});

describe('networkOf', () => {
  it.each([
    ['203.0.113.9', '203.0.113.0/24'],
    ['2001:db8:1:2::9', '2001:db8:1::/48'],
    ['2001:0db8:0001::', '2001:db8:1::/48'],
    ['::1', '0:0:0::/48'],
    ['fe80::1%eth0', 'fe80:0:0::/48'],
    ['', 'unknown'],
    ['nonsense', 'unknown'],
  ])('%s is in %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it('gives every address of a network the same name and keeps no host', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        expect(networkOf(address)).toMatch(/^([0-9a-f]{1,4}:){3}:\/48$/);
      }),
    );
  });
});

describe('parseNetworks', () => {
  it.each(['', 'proxy.example.org', '10.0.0.0/33', '10.0.0.0/', ',', '::1/129', '10.0.0.0/8/8'])(
    'refuses %j',
    (text) => {
      expect(parseNetworks(text)).toBeNull();
    },
  );
});
