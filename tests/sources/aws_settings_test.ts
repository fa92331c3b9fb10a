import assert from "node:assert/strict";
import { test } from "node:test";
import { readAwsSettings } from "../../lib/sources/aws_settings.ts";
import type { S3Options } from "../../lib/sources/s3_address.ts";
import type { AwsValues } from "../fixtures/aws_surroundings.ts";
import { lookupOf } from "../fixtures/aws_surroundings.ts";
import { refusal } from "../fixtures/refusal.ts";

function settingsOf(values: AwsValues, options: S3Options = {}) {
  const { profile, region, endpoint, rolesEndpoint } = readAwsSettings(lookupOf(values), options);
  return [profile, region, endpoint?.href ?? null, rolesEndpoint?.href ?? null];
}

const CONFIG = "/home/ada/.aws/config";
const PROFILE = "[profile ci]\nregion=from-profile\nendpoint_url=https://profile.example\n" +
  "[default]\nregion=from-default";

test("readAwsSettings() takes the first that says", () => {
  const files = { [CONFIG]: PROFILE };
  const table: [values: AwsValues, options: S3Options, settings: (string | null)[]][] = [
    [{}, {}, [null, null, null, null]],
    [{ files }, {}, [null, "from-default", null, null]],
    [{ files, env: { AWS_DEFAULT_REGION: "b" } }, {}, [null, "b", null, null]],
    [{ files, env: { AWS_DEFAULT_REGION: "b", AWS_REGION: "a" } }, {}, [null, "a", null, null]],
    [{ files, env: { AWS_REGION: "a" } }, { region: "o" }, [null, "o", null, null]],
    [{ files, env: { AWS_REGION: "" } }, {}, [null, "from-default", null, null]],
    [{ files, env: { AWS_PROFILE: "ci" } }, {}, [
      "ci",
      "from-profile",
      "https://profile.example/",
      "https://profile.example/",
    ]],
    [{ files, env: { AWS_PROFILE: "no" } }, { profile: "ci", endpoint: "https://o.example/x" }, [
      "ci",
      "from-profile",
      "https://o.example/x/",
      "https://profile.example/",
    ]],
    [{ env: { AWS_ENDPOINT_URL: "https://all.example", AWS_REGION: "a" } }, {}, [
      null,
      "a",
      "https://all.example/",
      "https://all.example/",
    ]],
    [
      {
        env: {
          AWS_ENDPOINT_URL: "https://all.example",
          AWS_ENDPOINT_URL_S3: "https://s3.example",
          AWS_REGION: "a",
        },
      },
      {},
      [null, "a", "https://s3.example/", "https://all.example/"],
    ],
    [
      {
        env: {
          AWS_ENDPOINT_URL_S3: "https://s3.example",
          AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true",
        },
      },
      {},
      [null, null, null, null],
    ],
    [
      {
        env: { AWS_PROFILE: "local" },
        files: {
          [CONFIG]: "[profile local]\nservices = here\nendpoint_url = https://all.example\n" +
            "[services here]\ns3 =\n  endpoint_url = http://127.0.0.1:9000",
        },
      },
      {},
      ["local", null, "http://127.0.0.1:9000/", "https://all.example/"],
    ],
  ];
  for (const [values, options, settings] of table) {
    assert.deepEqual(settingsOf(values, options), settings);
  }
});

test("readAwsSettings() reads no file when the region is in a variable", () => {
  const lookup = lookupOf({ env: { AWS_REGION: "a" } });
  const from = { ...lookup.from, readTextFile: () => assert.fail("it read a file") };
  assert.equal(readAwsSettings({ ...lookup, from }, {}).region, "a");
});

test("readAwsSettings() refuses what can be no region and no endpoint", () => {
  const table: [values: AwsValues, options: S3Options, found: string][] = [
    [{ env: { AWS_REGION: "EU" } }, {}, 'found the region "EU"'],
    [{ files: { [CONFIG]: "[default]\nregion=a.b" } }, {}, 'found the region "a.b"'],
    [{ env: { AWS_ENDPOINT_URL: "minio" } }, {}, "found an endpoint that is no address"],
    [{ env: { AWS_ENDPOINT_URL: "http://minio" } }, {}, "found the unencrypted endpoint"],
    [{ env: { AWS_PROFILE: "ci" } }, {}, "the profile ci: there is none"],
  ];
  for (const [values, options, found] of table) {
    assert.throws(
      () => readAwsSettings(lookupOf(values), options),
      refusal("option-invalid", found),
    );
  }
  const allowed = settingsOf({ env: { AWS_ENDPOINT_URL: "http://minio" } }, { allowHttp: true });
  assert.equal(allowed[2], "http://minio/");
});
