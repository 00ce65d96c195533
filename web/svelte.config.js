// Shared by the build and by svelte-check: the runes of Svelte 5, everywhere.
export default { compilerOptions: { runes: true } };
