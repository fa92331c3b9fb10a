import egg from "./package.json" with { type: "json" };

export function greet(name) {
  console.log(`Hi, ${name}! -- from version ${egg.version} of hello`);
}
