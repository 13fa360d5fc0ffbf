// onnxruntime: the other end of onnxruntime.c. Commands come on standard input, one a line:
//
//     prepare JSON     then the tensors' bytes; JSON says what they are (see `prepare`)
//     turn SECONDS     runs for that long; answers the seconds of the fastest run
//     result           runs once; answers, then the bytes of the output
//     close
//
// Every answer is a line, "+" and what was asked for, or "-" and a sentence. A model is one Conv
// with bias, residual and activation as nodes behind it, which the library fuses as it sees fit,
// channels first, at its highest level of optimisation. What a call costs that computes nothing is
// measured and taken off, so that a run is the library's own work.
"use strict";
const fs = require("fs");
const path = require("path");

// ---- the library --------------------------------------------------------------------------------

// In CONVC_ONNXRUNTIME, in the build tree, or wherever node finds it.
function findPackage() {
    const places = [process.env.CONVC_ONNXRUNTIME, path.join(__dirname, "../onnxruntime")];
    const paths = places.filter(Boolean).map((p) => path.join(p, "node_modules"));
    for (const base of paths)
        if (fs.existsSync(path.join(base, "onnxruntime-node")))
            return path.join(base, "onnxruntime-node");
    return path.dirname(path.dirname(require.resolve("onnxruntime-node")));
}

// ---- protobuf: as much as a model of a few nodes needs -------------------------------------------

function varint(value) {
    const bytes = [];
    let v = BigInt.asUintN(64, BigInt(value));
    do {
        bytes.push(Number(v & 127n) | (v > 127n ? 128 : 0));
        v >>= 7n;
    } while (v);
    return Buffer.from(bytes);
}
const whole = (field, value) => Buffer.concat([varint(field << 3), varint(value)]);
function real(field, value) {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    return Buffer.concat([varint((field << 3) | 5), bytes]);
}
function bytes(field, data) {
    const b = Buffer.isBuffer(data) ? data : Buffer.from(data);
    return Buffer.concat([varint((field << 3) | 2), varint(b.length), b]);
}
const message = (field, ...parts) => bytes(field, Buffer.concat(parts));

// ---- ONNX: the numbers are fields of onnx.proto --------------------------------------------------

const FLOAT = 1, OPSET = 20, IR_VERSION = 9;

function attribute(name, value) {
    if (Array.isArray(value))
        return message(5, bytes(1, name), ...value.map((v) => whole(8, v)), whole(20, 7));
    if (name === "alpha")
        return message(5, bytes(1, name), real(2, value), whole(20, 1));
    return message(5, bytes(1, name), whole(3, value), whole(20, 2));
}

function node(type, inputs, output, attributes = {}) {
    return message(1, ...inputs.map((i) => bytes(1, i)), bytes(2, output), bytes(4, type),
        ...Object.entries(attributes).map(([k, v]) => attribute(k, v)));
}

const constant = (name, dims, data) =>
    message(5, ...dims.map((d) => whole(1, d)), whole(2, FLOAT), bytes(8, name), bytes(9, data));

function value(field, name, dims) {
    const shape = message(2, ...dims.map((d) => message(1, whole(1, d))));
    return message(field, bytes(1, name), message(2, message(1, whole(1, FLOAT), shape)));
}

const model = (parts) => Buffer.concat([whole(1, IR_VERSION),
    message(7, bytes(2, "conv"), ...parts), message(8, bytes(1, ""), whole(2, OPSET))]);

const single = (v) => Buffer.from(new Float32Array([v]).buffer);

// The nodes of an activation from `x` to "y".
function activation(p, x) {
    switch (p.activation) {
    case "clamp":
        return [constant("low", [], single(p.args[0])), constant("high", [], single(p.args[1])),
            node("Clip", [x, "low", "high"], "y")];
    case "leaky_relu": return [node("LeakyRelu", [x], "y", { alpha: p.args[0] })];
    case "silu": return [node("Sigmoid", [x], "gate"), node("Mul", [x, "gate"], "y")];
    default:
        return [node({ relu: "Relu", sigmoid: "Sigmoid", tanh: "Tanh", gelu: "Gelu",
            hardswish: "HardSwish" }[p.activation], [x], "y")];
    }
}

function convolution(p, data) {
    const last = p.activation === "none" ? "y" : "sum";
    const inputs = p.bias ? ["x", "w", "b"] : ["x", "w"];
    const parts = [
        value(11, "x", p.src), value(12, "y", p.dst), constant("w", p.wei, data.wei),
        node("Conv", inputs, p.residual ? "conv" : last, { dilations: p.dilation,
            group: p.groups, kernel_shape: p.wei.slice(2), pads: p.pads, strides: p.stride }),
    ];
    if (p.bias) parts.push(constant("b", [p.dst[1]], data.bias));
    if (p.residual) parts.push(value(11, "r", p.dst), node("Add", ["conv", "r"], last));
    if (p.activation !== "none") parts.push(...activation(p, last));
    return model(parts);
}

// ---- sessions ------------------------------------------------------------------------------------

let ort, binding, current = null;

function load() {
    const root = findPackage();
    ({ binding } = require(path.join(root, "dist/binding.js")));
    ort = require(root);
    require(path.join(root, "dist/binding.js")).initOrt();
    return JSON.parse(fs.readFileSync(path.join(root, "package.json"))).version;
}

// The native session runs in the caller, without a promise.
function open(bytesOfModel, threads) {
    const session = new binding.InferenceSession();
    session.loadModel(bytesOfModel.buffer, bytesOfModel.byteOffset, bytesOfModel.byteLength, {
        executionProviders: ["cpu"], graphOptimizationLevel: "all",
        intraOpNumThreads: threads, interOpNumThreads: 1, executionMode: "sequential" });
    return session;
}

const tensor = (dims, data) => new ort.Tensor("float32", data, dims);
const floats = (b) => new Float32Array(b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength));
const volume = (dims) => dims.reduce((a, b) => a * b, 1);

// Fastest of enough calls to fill `milliseconds`, at least two; short ones several at a time.
function fastest(call, milliseconds) {
    let begin = performance.now();
    call();
    let now = performance.now();
    let best = now - begin;
    const repeat = best < 0.02 ? Math.floor(0.02 / (best + 1e-4)) + 1 : 1;
    const end = now + milliseconds;
    do {
        for (let i = 0; i < repeat; i++) call();
        begin = now;
        now = performance.now();
        best = Math.min(best, (now - begin) / repeat);
    } while (now < end);
    return best;
}

// A call that does next to nothing, with as many feeds.
function emptyCall(threads, residual) {
    const parts = [value(11, "x", [1]), value(12, "y", [1]),
        residual ? node("Add", ["x", "r"], "y") : node("Relu", ["x"], "y")];
    if (residual) parts.push(value(11, "r", [1]));
    const session = open(model(parts), threads);
    const one = () => tensor([1], new Float32Array(1));
    const feeds = residual ? { x: one(), r: one() } : { x: one() };
    const fetches = { y: one() };
    const ms = fastest(() => session.run(feeds, fetches, {}), 5);
    session.dispose();
    return ms;
}

function prepare(p) {
    const data = {};
    for (const which of ["src", "wei", "bias", "residual"])
        if (p.bytes[which]) data[which] = read(p.bytes[which]);
    close();
    const begin = performance.now();
    const session = open(convolution(p, data), p.threads);
    const creation = performance.now() - begin;
    const feeds = { x: tensor(p.src, floats(data.src)) };
    if (p.residual) feeds.r = tensor(p.dst, floats(data.residual));
    const out = new Float32Array(volume(p.dst));
    const fetches = { y: tensor(p.dst, out) };
    const empty = emptyCall(p.threads, p.residual);
    current = { session, out, empty, run: () => session.run(feeds, fetches, {}) };
    return String(creation);
}

function close() {
    if (current) current.session.dispose();
    current = null;
}

// Waits until the library's threads have stopped spinning, for the sake of who runs next.
function settle() {
    const nap = new Int32Array(new SharedArrayBuffer(4));
    for (let naps = 0; naps < 100; naps++) {
        const before = process.cpuUsage(), begin = performance.now();
        Atomics.wait(nap, 0, 0, 1);
        const used = process.cpuUsage(before);
        if ((used.user + used.system) / 1000 < 0.1 * (performance.now() - begin)) return;
    }
}

function turn(seconds) {
    const ms = fastest(current.run, seconds * 1000);
    settle();
    return String(Math.max(ms - current.empty, 1e-6) / 1000);
}

// ---- the conversation ----------------------------------------------------------------------------

function read(length) {
    const b = Buffer.alloc(length);
    for (let at = 0; at < length;) {
        const n = fs.readSync(0, b, at, length - at);
        if (!n) process.exit(0);
        at += n;
    }
    return b;
}

function readLine() {
    const line = [];
    for (let c; (c = read(1)[0]) !== 10;) line.push(c);
    return Buffer.from(line).toString();
}

function write(b) {
    for (let at = 0; at < b.length;) at += fs.writeSync(1, b, at);
}

function answer(work) {
    try {
        write(Buffer.from(`+${work()}\n`));
        return true;
    } catch (e) {
        write(Buffer.from(`-${String(e.message || e).split("\n")[0]}\n`));
        return false;
    }
}

if (!answer(load)) process.exit(1);
for (;;) {
    const line = readLine();
    const [command, rest] = [line.split(" ", 1)[0], line.slice(line.indexOf(" ") + 1)];
    if (command === "prepare") answer(() => prepare(JSON.parse(rest)));
    else if (command === "turn") answer(() => turn(Number(rest)));
    else if (command === "close") answer(() => { close(); return ""; });
    else if (command === "result" && answer(() => { current.run(); return ""; }))
        write(Buffer.from(current.out.buffer));
}
