/**
 * Whose a program's file is: what a package manager installed is the package manager's to replace.
 *
 * @module
 */

import { runtime } from "../runtime/current.ts";

/** A package manager, and how its user updates what it installed. */
export interface PackageOwner {
  manager: string;
  /** What to run. */
  command: string;
}

/** Places that belong to one package manager alone. */
const PLACES: [pattern: RegExp, manager: string, command: (name: string) => string][] = [
  [/\/(?:Cellar|homebrew|linuxbrew)\//i, "Homebrew", (name) => `brew upgrade ${name}`],
  [/\/nix\/store\//, "Nix", () => "nix profile upgrade"],
  [/^\/snap\//, "snap", (name) => `snap refresh ${name}`],
  [/\/\.local\/share\/flatpak\/|^\/var\/lib\/flatpak\//, "Flatpak", () => "flatpak update"],
  [/[/\\]node_modules[/\\]/, "npm", (name) => `npm update -g ${name}`],
  [/[/\\]scoop[/\\](?:apps|shims)[/\\]/i, "Scoop", (name) => `scoop update ${name}`],
  [/[/\\]chocolatey[/\\]/i, "Chocolatey", (name) => `choco upgrade ${name}`],
  [/[/\\]WindowsApps[/\\]/i, "the Microsoft Store", () => "winget upgrade"],
];
/** Folders that the system's own package manager fills; what lies elsewhere is nobody's. */
const SYSTEM_FOLDERS = /^\/(?:usr\/(?!local\/)|bin\/|sbin\/|lib\/)/;
const ASK_MS = 5000;

/** Who owns a file, or `null`. Asks the system's package manager only for what lies in its folders. */
export async function packageOwner(path: string, name: string): Promise<PackageOwner | null> {
  for (const [pattern, manager, command] of PLACES) {
    if (pattern.test(path)) return { manager, command: command(name) };
  }
  if (!SYSTEM_FOLDERS.test(path)) return null;
  const dpkg = await told("dpkg", ["-S", path]);
  const debian = dpkg?.split(":")[0];
  if (debian) return { manager: "dpkg", command: `apt-get install --only-upgrade ${debian}` };
  const rpm = await told("rpm", ["-qf", "--queryformat", "%{NAME}", path]);
  return rpm ? { manager: "RPM", command: `dnf upgrade ${rpm}` } : null;
}

/** What a program prints, when it ends well. */
async function told(program: string, args: string[]): Promise<string | null> {
  try {
    const command = { path: program, args, env: {} };
    const { code, stdout } = await runtime.run(command, AbortSignal.timeout(ASK_MS));
    return code === 0 ? stdout.trim() : null;
  } catch {
    return null;
  }
}
