import { test } from "node:test";
import assert from "node:assert/strict";
import type { AddressKind } from "../../lib/sources/private_address.ts";
import { addressKind } from "../../lib/sources/private_address.ts";

const TABLE: [host: string, kind: AddressKind][] = [
  ["registry.example", "public"],
  ["localhost.example", "public"],
  ["127.0.0.1.example", "public"],
  ["8.8.8.8", "public"],
  ["172.15.0.1", "public"],
  ["172.32.0.1", "public"],
  ["192.169.0.1", "public"],
  ["100.63.255.255", "public"],
  ["localhost", "loopback"],
  ["LOCALHOST", "loopback"],
  ["localhost.", "loopback"],
  ["a.localhost", "loopback"],
  ["127.0.0.1", "loopback"],
  ["127.1", "loopback"],
  ["2130706433", "loopback"],
  ["0x7f.1", "loopback"],
  ["0177.0.0.1", "loopback"],
  ["0.0.0.0", "loopback"],
  ["0", "loopback"],
  ["169.254.169.254", "link-local"],
  ["2852039166", "link-local"],
  ["10.1.2.3", "private"],
  ["172.16.0.1", "private"],
  ["172.31.255.255", "private"],
  ["192.168.1.1", "private"],
  ["100.64.0.1", "private"],
  ["198.18.0.1", "private"],
  ["224.0.0.1", "private"],
  ["255.255.255.255", "private"],
  ["[2606:4700::1111]", "public"],
  ["[::ffff:8.8.8.8]", "public"],
  ["[64:ff9b::808:808]", "public"],
  ["[::1]", "loopback"],
  ["[::]", "loopback"],
  ["[0:0:0:0:0:0:0:1]", "loopback"],
  ["[::ffff:127.0.0.1]", "loopback"],
  ["[::127.0.0.1]", "loopback"],
  ["[64:ff9b::7f00:1]", "loopback"],
  ["[fe80::1]", "link-local"],
  ["[febf::1]", "link-local"],
  ["[::ffff:169.254.169.254]", "link-local"],
  ["[fc00::1]", "private"],
  ["[fdff::1]", "private"],
  ["[ff02::1]", "private"],
  ["[::ffff:10.0.0.1]", "private"],
];

test("addressKind() tells this machine and its networks from the internet, however written", () => {
  for (const [host, kind] of TABLE) {
    assert.equal(addressKind(new URL(`http://${host}/`).hostname), kind, host);
  }
});
