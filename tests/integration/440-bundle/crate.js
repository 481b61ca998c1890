// SPDX-License-Identifier: MIT
// Validates the RO-Crate metadata of a directory: by the validator of RO-Crate's own
// JavaScript library, with all files of the directory; and by the JSON-LD processor of
// digitalbazaar in its safe mode, which refuses every term that the context of RO-Crate
// doesn't define. The context comes with the library: nothing is fetched.
//
//     node crate.js DIRECTORY
const fs = require('fs');
const path = require('path');
const context = JSON.parse(fs.readFileSync(require.resolve('ro-crate/lib/context.json')));
const url = 'https://w3id.org/ro/crate/1.2/context';
// The validator takes its fetch when it is loaded.
globalThis.fetch = async (asked) => ({
  ok: asked === url, statusText: `${asked} is not known here`, json: async () => context });
const { validate } = require('ro-crate/lib/validator.js');
const jsonld = require('jsonld');

const directory = process.argv[2];
const metadata = JSON.parse(fs.readFileSync(path.join(directory, 'ro-crate-metadata.json')));

function list(below) {
  const found = {};
  for (const entry of fs.readdirSync(path.join(directory, below), { withFileTypes: true })) {
    const name = path.join(below, entry.name);
    if (entry.isDirectory()) {
      found[`${name}/`] = { exists: true, isDir: true };
      Object.assign(found, list(name));
    } else found[name] = { exists: true, isDir: false };
  }
  return found;
}

// Each reference leads to an entity or to the web.
function checkReferences() {
  const ids = new Set(metadata['@graph'].map((entity) => entity['@id']));
  if (ids.size !== metadata['@graph'].length) throw new Error('an entity is there twice');
  const visit = (value) => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (value && typeof value === 'object') {
      if (Object.keys(value).join() === '@id' && !ids.has(value['@id']) && !value['@id'].startsWith('https://w3id.org/'))
        throw new Error(`no entity: ${value['@id']}`);
      Object.values(value).forEach(visit);
    }
  };
  visit(metadata['@graph']);
}

(async () => {
  const results = await validate(metadata, list('.'));
  const wrong = results.filter((result) => result.status !== 'success');
  // Files of receipts and logs are described by their run's directory.
  const known = (result) => result.id === 'validCrateDataEntityInCrateDir' &&
    /^(runs|appliances|attestations)\/|^(runs|appliances|attestations)\/$|^ro-crate-metadata.json$/.test(result.entity);
  const serious = wrong.filter((result) => !known(result));
  if (serious.length) throw new Error(JSON.stringify(serious, null, 1));
  if (results.length === wrong.length) throw new Error('nothing was validated');
  checkReferences();
  const documentLoader = async (asked) => {
    if (asked !== url) throw new Error(`${asked} is not known here`);
    return { contextUrl: null, documentUrl: url, document: context };
  };
  const options = { documentLoader, safe: true, base: 'https://example.org/crate/' };
  const expanded = await jsonld.expand(metadata, options);
  const quads = await jsonld.toRDF(metadata, options);
  console.log(`${results.length - wrong.length} rules, ${expanded.length} entities, ${quads.length} statements`);
})().catch((error) => {
  console.error(error.message, JSON.stringify(error.details ?? ''));
  process.exit(1);
});
