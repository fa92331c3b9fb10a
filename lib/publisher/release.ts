/**
 * What is signed about an egg, made from the egg itself.
 *
 * @module
 */

import { isTransmuteError, TransmuteError } from "../errors.ts";
import { readManifest as excerptOf } from "../model/manifest.ts";
import type { PlatformLists, SignedCustom } from "../model/signed_target.ts";
import {
  parseSignedTarget,
  SIGNED_FORMAT,
  storedPath,
  targetPath,
} from "../model/signed_target.ts";
import { archiveStem } from "../model/egg.ts";
import { isValidVersion } from "../model/version.ts";
import { runtime } from "../runtime/current.ts";
import { readManifest, unpackTarball } from "../store/unpack.ts";
import { digestHex } from "../trust/digest.ts";
import type { Target } from "./metadata.ts";

/** An egg that is ready to be published. */
export interface Release {
  project: string;
  version: string;
  /** `js/hello/hello-1.0.0.tgz` */
  path: string;
  /** Where its bytes go in the repository; `null` when a registry has them. */
  objectPath: string | null;
  archive: Uint8Array;
  target: Target & { custom: SignedCustom };
}

/**
 * Reads an egg as a client would: through the gate that archives pass before anything of them is
 * stored.
 *
 * @param name of the file, for messages
 * @param maxUnpackedBytes that it may expand to
 * @throws {TransmuteError} `archive-invalid` and `path-escapes` for what no client would take
 */
export async function readRelease(
  archive: Uint8Array,
  name: string,
  maxUnpackedBytes = 1024 ** 3,
): Promise<Release> {
  const found = await unpackTarball(archive, { maxUnpackedBytes }).then(readManifest)
    .catch((error) => {
      if (!isTransmuteError(error)) throw error;
      const { code, message } = error;
      throw new TransmuteError(code, `Cannot publish ${name}: nobody could take it. ${message}`, {
        cause: error,
      });
    });
  const { name: project, version } = found;
  if (!isValidVersion(version)) {
    throw new TransmuteError(
      "archive-invalid",
      `Cannot publish ${name}: found the version "${version}", wanted one such as 1.2.3`,
    );
  }
  const tar = await runtime.gunzip(archive, maxUnpackedBytes);
  const platform = platformOf(found);
  return await releaseFrom(archive, `${archiveStem(project)}-${version}.tgz`, {
    ecosystem: "js",
    project,
    version,
    ...(platform === null ? {} : { platform }),
    unpacked: { sizeBytes: tar.length, digest: `sha512:${await digestHex("sha512", tar)}` },
    manifest: excerptOf({ ...found }, project, version),
  });
}

/**
 * An egg as it is to be signed.
 *
 * @param file the name of its file in the repository
 * @throws {TransmuteError} `listing-invalid` for what no client would read
 */
export async function releaseFrom(
  archive: Uint8Array,
  file: string,
  said: Omit<SignedCustom, "format">,
): Promise<Release> {
  const { ecosystem, project, version } = said;
  const sha512 = await digestHex("sha512", archive);
  const path = targetPath(ecosystem, project, file);
  const custom: SignedCustom = { format: SIGNED_FORMAT, ...said };
  const target = { length: archive.length, hashes: { sha512 }, custom };
  parseSignedTarget(path, target);
  return {
    project,
    version,
    path,
    objectPath: `targets/${storedPath(path, `sha512:${sha512}`)}`,
    archive,
    target,
  };
}

function platformOf({ os, cpu, libc }: PlatformLists): PlatformLists | null {
  const lists = Object.entries({ os, cpu, libc }).filter(([, list]) => list !== undefined);
  return lists.length === 0 ? null : Object.fromEntries(lists);
}
