// Runs foreign_driver.c as WebAssembly: node foreign_host.mjs PROGRAM <IN >OUT
import { readFileSync, writeSync } from "node:fs";

const input = readFileSync(0);
let at = 0, memory = null;
const put = (bytes) => {
    for (let done = 0; done < bytes.length;) done += writeSync(1, bytes, done);
};
const host = {
    read(to, bytes) {
        if (at + bytes > input.length) throw new Error("standard input is too short");
        new Uint8Array(memory.buffer).set(input.subarray(at, at + bytes), to);
        at += bytes;
    },
    write(from, bytes) {
        put(new Uint8Array(memory.buffer).slice(from, from + bytes));
    },
};
const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), { host });
memory = instance.exports.memory;
instance.exports.run();
