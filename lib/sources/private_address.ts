/**
 * Which hosts are addresses of this machine or its own network.
 *
 * A source on the internet that sends us to one of these is trying to make this program ask
 * something that only we can reach: a service on this machine, a router, the credentials service
 * of a cloud. Names are not looked up: what a name resolves to is the resolver's word, not ours.
 *
 * @module
 */

/** The reach of a host: everyone's, or only this machine's, its link's, its network's. */
export type AddressKind = "public" | "loopback" | "link-local" | "private";

/** By the registry of special-purpose addresses, IPv4. */
function kindOfIpv4([first, second]: number[]): AddressKind {
  if (first === 127 || first === 0) return "loopback";
  if (first === 169 && second === 254) return "link-local";
  const isPrivate = first === 10 ||
    (first === 172 && second >= 16 && second < 32) ||
    (first === 192 && second === 168) ||
    (first === 100 && second >= 64 && second < 128) ||
    (first === 198 && (second === 18 || second === 19)) ||
    first >= 224;
  return isPrivate ? "private" : "public";
}

/** The eight groups of an IPv6 address as `URL` writes it: lower case, no embedded dots. */
function ipv6Groups(address: string): number[] {
  const [head, tail] = address.split("::").map((part) => part === "" ? [] : part.split(":"));
  const zeros = tail === undefined ? 0 : 8 - head.length - tail.length;
  return [...head, ...Array<string>(zeros).fill("0"), ...(tail ?? [])]
    .map((group) => Number.parseInt(group, 16));
}

function kindOfIpv6(address: string): AddressKind {
  const groups = ipv6Groups(address);
  const leading = groups.slice(0, 5).every((group) => group === 0);
  if (leading && groups[5] === 0 && groups[6] === 0 && groups[7] <= 1) return "loopback";
  // Mapped, compatible and translated (64:ff9b::/96) addresses reach the IPv4 host inside.
  const translated = groups[0] === 0x64 && groups[1] === 0xff9b;
  if (translated || (leading && (groups[5] === 0xffff || groups[5] === 0))) {
    return kindOfIpv4([groups[6] >> 8, groups[6] & 0xff]);
  }
  if ((groups[0] & 0xffc0) === 0xfe80) return "link-local";
  const isPrivate = (groups[0] & 0xfe00) === 0xfc00 || groups[0] >= 0xff00;
  return isPrivate ? "private" : "public";
}

/**
 * The reach of `hostname`, as `URL.hostname` gives it (which has already turned `0x7f.1` into
 * `127.0.0.1`). A name is public, save `localhost` and its subdomains.
 *
 * @example
 * ```ts
 * import { addressKind } from "./private_address.ts";
 *
 * if (addressKind(new URL("http://2130706433/").hostname) !== "loopback") throw new Error("never");
 * ```
 */
export function addressKind(hostname: string): AddressKind {
  if (hostname.startsWith("[")) return kindOfIpv6(hostname.slice(1, -1));
  const numbers = /^(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(hostname);
  if (numbers !== null) return kindOfIpv4(numbers.slice(1).map(Number));
  return /(?:^|\.)localhost\.?$/.test(hostname) ? "loopback" : "public";
}
