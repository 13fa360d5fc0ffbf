/* Every kind of bad spec, with the sentence that it gets. */
#include "gen/spec/spec.h"
#include "tests/support/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define SHAPE       CONVC_ERR_SHAPE
#define SPEC        CONVC_ERR_SPEC
#define ARGUMENT    CONVC_ERR_ARGUMENT
#define UNSUPPORTED CONVC_ERR_UNSUPPORTED

/* One field, on the second line of a spec that would do without it. */
#define FIELD(field)                                                                               \
    "return convc.conv { input = {1, 6, 8, 8}, out_channels = 8, kernel_size = 3,\n " field " }"

static const struct {
    const char *text;
    enum convc_status status;
    const char *sentence;
} bad[] = {
    /* ---- what must be there, and nothing else ---- */

    { "return convc.conv { out_channels = 8, kernel_size = 3 }", SPEC,
      "bad.lua:1: input is missing" },
    { "return convc.conv { input = {1, 6, 8, 8}, kernel_size = 3 }", SPEC,
      "bad.lua:1: out_channels is missing" },
    { "return convc.conv { input = {1, 6, 8, 8}, out_channels = 8 }", SPEC,
      "bad.lua:1: kernel_size is missing" },
    { FIELD("['bias\\0'] = true"), SPEC, "bad.lua:1: bias is no field of a convolution" },
    { FIELD("dtype = 'f32\\0'"), SPEC,
      "bad.lua:2: dtype=\"f32\\x00\" is none of f32, f64, u8, s16, u16" },
    { FIELD("strides = 2"), SPEC, "bad.lua:2: strides is no field of a convolution" },
    { FIELD("17"), SPEC, "bad.lua:1: the value 17 stands in no field" },

    /* ---- input ---- */

    { "return convc.conv { input = 5, out_channels = 8, kernel_size = 3 }", SPEC,
      "bad.lua:1: input=5 is no list {N, C, spatial...}" },
    { "return convc.conv { input = {1, 6}, out_channels = 8, kernel_size = 3 }", SPEC,
      "bad.lua:1: input has 2 values, where {N, C, spatial...} has 3 to 5" },
    { "return convc.conv { input = {1, 6, 8, 8, 8, 8}, out_channels = 8, kernel_size = 3 }", SPEC,
      "bad.lua:1: input has 6 values, where {N, C, spatial...} has 3 to 5" },
    { "return convc.conv { input = {1, 6, 8, '8'}, out_channels = 8, kernel_size = 3 }", SPEC,
      "bad.lua:1: input[4]=\"8\" is no integer" },
    { "return convc.conv { input = {1, 6, 8, 8.5}, out_channels = 8, kernel_size = 3 }", SPEC,
      "bad.lua:1: input[4]=8.5 is no integer" },
    { "return convc.conv { input = {1, 6, 0, 8}, out_channels = 8, kernel_size = 3 }", SHAPE,
      "bad.lua:1: input=0 along the height must be 1 to 2147483647" },
    { "return convc.conv { input = {-1, 6, 8, 8}, out_channels = 8, kernel_size = 3 }", SHAPE,
      "bad.lua:1: batch=-1 must be 0 to 2147483647" },
    { "return convc.conv { input = {1, 0, 8, 8}, out_channels = 8, kernel_size = 3 }", SHAPE,
      "bad.lua:1: in_channels=0 must be 1 to 2147483647" },
    { "return convc.conv { input = {1, 6, 8, 1/0}, out_channels = 8, kernel_size = 3 }", SPEC,
      "bad.lua:1: input[4]=inf is no integer" },
    { "return convc.conv { input = {1, 6, 8, 2^62}, out_channels = 8, kernel_size = 3 }", SHAPE,
      "bad.lua:1: input=4611686018427387904 along the width must be 1 to 2147483647" },
    { "return convc.conv { input = {1, 6, 8, 9223372036854775807}, out_channels = 8, kernel_size = "
      "3 }",
      SHAPE, "bad.lua:1: input=9223372036854775807 along the width must be 1 to 2147483647" },

    /* ---- out_channels, kernel_size, stride, dilation, groups ---- */

    { "return convc.conv { input = {1, 6, 8, 8},\n out_channels = '8',\n kernel_size = 3 }", SPEC,
      "bad.lua:2: out_channels=\"8\" is no integer" },
    { "return convc.conv { input = {1, 6, 8, 8},\n out_channels = 0,\n kernel_size = 3 }", SHAPE,
      "bad.lua:2: out_channels=0 must be 1 to 2147483647" },
    { "return convc.conv { input = {1, 6, 8, 8},\n out_channels = 8,\n kernel_size = {3, 3, 3} }",
      SPEC, "bad.lua:3: kernel_size has 3 values, where input has 2 spatial axes" },
    { "return convc.conv { input = {1, 6, 8, 8},\n out_channels = 8,\n kernel_size = {3, true} }",
      SPEC, "bad.lua:3: kernel_size[2]=true is no integer" },
    { "return convc.conv { input = {1, 6, 8, 8},\n out_channels = 8,\n kernel_size = 0 }", SHAPE,
      "bad.lua:3: kernel_size=0 along the height must be 1 to 2147483647" },
    { "return convc.conv { input = {1, 6, 8, 8},\n out_channels = 8,\n kernel_size = 9 }", SHAPE,
      "bad.lua:3: kernel_size=9 with dilation=1 spans 9 along the height, more than the 8 of the "
      "padded input" },
    { FIELD("dilation = 4"), SHAPE,
      "bad.lua:1: kernel_size=3 with dilation=4 spans 9 along the height, more than the 8 of the "
      "padded input" },
    { FIELD("stride = '2'"), SPEC, "bad.lua:2: stride=\"2\" is no integer" },
    { FIELD("stride = 0"), SHAPE, "bad.lua:2: stride=0 along the height must be 1 to 2147483647" },
    { FIELD("stride = {1}"), SPEC,
      "bad.lua:2: stride has 1 values, where input has 2 spatial axes" },
    { FIELD("stride = {1, 1.5}"), SPEC, "bad.lua:2: stride[2]=1.5 is no integer" },
    { FIELD("dilation = -1"), SHAPE,
      "bad.lua:2: dilation=-1 along the height must be 1 to 2147483647" },
    { FIELD("dilation = 2^62"), SHAPE,
      "bad.lua:2: dilation=4611686018427387904 along the height must be 1 to 2147483647" },
    { FIELD("groups = 4"), SHAPE, "bad.lua:2: groups=4 does not divide in_channels=6" },
    { FIELD("groups = 3"), SHAPE, "bad.lua:2: groups=3 does not divide out_channels=8" },
    { FIELD("groups = 0"), SHAPE, "bad.lua:2: groups=0 must be 1 to 2147483647" },
    { FIELD("groups = 0/0"), SPEC, "bad.lua:2: groups=nan is no integer" },

    /* ---- padding ---- */

    { FIELD("padding = -1"), SPEC, "bad.lua:2: padding=-1 must not be negative" },
    { FIELD("padding = 'smae'"), SPEC,
      "bad.lua:2: padding=\"smae\" is none of valid, same, same_lower, full" },
    { FIELD("padding = {1, 2, 3}"), SPEC,
      "bad.lua:2: padding has 3 values, where input has 2 spatial axes" },
    { FIELD("padding = {{1, 2}, {3}}"), SPEC,
      "bad.lua:2: padding[2] has 1 values, where {begin, end} has 2" },
    { FIELD("padding = {{1, 2}, {3, -4}}"), SPEC,
      "bad.lua:2: padding[2][2]=-4 must not be negative" },
    { FIELD("padding = {1, 'same'}"), SPEC, "bad.lua:2: padding[2]=\"same\" is no integer" },
    { FIELD("padding = true"), SPEC, "bad.lua:2: padding=true is no integer" },
    { FIELD("padding = 2^40"), SHAPE,
      "bad.lua:2: padding=1099511627776 along the height must be -4294967296 to 2147483647" },
    { FIELD("dilation = 2^40, padding = 'full'"), SHAPE,
      "bad.lua:2: dilation=1099511627776 along the height must be 1 to 2147483647" },
    { FIELD("padding_mode = 'zero'"), SPEC,
      "bad.lua:2: padding_mode=\"zero\" is none of zeros, constant, reflect, symmetric, replicate, "
      "circular, identity" },
    { FIELD("padding_mode = 0"), SPEC,
      "bad.lua:2: padding_mode=0 is none of zeros, constant, reflect, symmetric, replicate, "
      "circular, identity" },
    { FIELD("padding_mode = 'constant', padding_value = 'x'"), SPEC,
      "bad.lua:2: padding_value=\"x\" is no number" },
    { FIELD("padding = 1, padding_mode = 'constant', padding_value = 1e300"), ARGUMENT,
      "bad.lua:2: padding_value=1e+300 does not fit f32" },
    { FIELD("padding_value = 1/0"), SPEC, "bad.lua:2: padding_value=inf is not finite" },

    /* ---- flags, activation, layout, dtype, tolerance ---- */

    { FIELD("flip = 1"), SPEC, "bad.lua:2: flip=1 is neither true nor false" },
    { FIELD("bias = 'yes'"), SPEC, "bad.lua:2: bias=\"yes\" is neither true nor false" },
    { FIELD("residual = {}"), SPEC, "bad.lua:2: residual={...} is neither true nor false" },
    { FIELD("activation = 'relu6'"), SPEC,
      "bad.lua:2: activation=\"relu6\" is none of relu, clamp, leaky_relu, sigmoid, tanh, silu, "
      "gelu, hardswish" },
    { FIELD("activation = true"), SPEC,
      "bad.lua:2: activation=true is none of relu, clamp, leaky_relu, sigmoid, tanh, silu, gelu, "
      "hardswish" },
    { FIELD("activation = 'clamp'"), SPEC,
      "bad.lua:2: activation \"clamp\" has 0 arguments, where it takes 2" },
    { FIELD("activation = {'clamp', 0}"), SPEC,
      "bad.lua:2: activation \"clamp\" has 1 arguments, where it takes 2" },
    { FIELD("activation = {'clamp', 6, 0}"), ARGUMENT,
      "bad.lua:2: activation clamp low=6 is above high=0" },
    { FIELD("activation = {'clamp', 0, '6'}"), SPEC,
      "bad.lua:2: activation[3]=\"6\" is no number" },
    { FIELD("activation = {'relu', 1}"), SPEC,
      "bad.lua:2: activation \"relu\" has 1 arguments, where it takes 0" },
    { FIELD("activation = {}"), SPEC,
      "bad.lua:2: activation[1]=nil is none of relu, clamp, leaky_relu, sigmoid, tanh, silu, gelu, "
      "hardswish" },
    { FIELD("activation = {'leaky_relu', 0/0}"), SPEC,
      "bad.lua:2: activation[2]=nan is not finite" },
    { FIELD("layout = 'NHWC'"), SPEC, "bad.lua:2: layout=\"NHWC\" is none of nhwc, nchw" },
    { FIELD("dtype = 'f16'"), SPEC, "bad.lua:2: dtype=\"f16\" is none of f32, f64, u8, s16, u16" },
    { FIELD("dtype = { src = 'u8', dst = 's8' }"), SPEC,
      "bad.lua:2: dtype.dst=\"s8\" is none of f32, f64, u8, s16, u16" },
    { FIELD("dtype = { 'u8' }"), SPEC,
      "bad.lua:2: dtype has other fields than src, dst and acc, each the name of a type" },
    { FIELD("dtype = { acc = 'u8' }"), CONVC_ERR_UNSUPPORTED,
      "bad.lua:2: acc_dtype=u8 must be f32 or f64" },
    { FIELD("dtype = { src = 'f64', dst = 'u8' }"), CONVC_ERR_UNSUPPORTED,
      "bad.lua:2: src_dtype=f64 must be u8, s16, u16 or that of acc, f32" },
    { FIELD("tolerance = -1"), SPEC, "bad.lua:2: tolerance=-1 must not be negative" },
    { FIELD("tolerance = '1e-6'"), SPEC, "bad.lua:2: tolerance=\"1e-6\" is no number" },
    { FIELD("tolerance = 1/0"), SPEC, "bad.lua:2: tolerance=inf is not finite" },

    /* ---- name ---- */

    { FIELD("name = ''"), SPEC,
      "bad.lua:2: name=\"\" is not 1 to 64 of A-Z a-z 0-9 _ . : - with no . at its beginning" },
    { FIELD("name = '.hidden'"), SPEC,
      "bad.lua:2: name=\".hidden\" is not 1 to 64 of A-Z a-z 0-9 _ . : - with no . at its "
      "beginning" },
    { FIELD("name = 'a b'"), SPEC,
      "bad.lua:2: name=\"a b\" is not 1 to 64 of A-Z a-z 0-9 _ . : - with no . at its beginning" },
    { FIELD("name = 7"), SPEC,
      "bad.lua:2: name=7 is not 1 to 64 of A-Z a-z 0-9 _ . : - with no . at its beginning" },
    { FIELD("name = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'"), SPEC,
      "bad.lua:2: name=\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\" is not 1 to 64 of A-Z "
      "a-z 0-9 _ . : - with no . at its beginning" },

    /* ---- weights ---- */

    { "return convc.conv { input = {1, 6, 8, 8},\n weights = 3 }", SPEC,
      "bad.lua:2: weights=3 is no list of numbers" },
    { "return convc.conv { input = {1, 6, 8, 8},\n weights = {} }", SPEC,
      "bad.lua:2: weights has an empty list in it" },
    { "return convc.conv { input = {1, 6, 8, 8},\n weights = {{1, 2}, {3}} }", SPEC,
      "bad.lua:2: weights has a list of 1 values beside one of 2" },
    { "return convc.conv { input = {1, 6, 8, 8},\n weights = {{1, 2}, {3, 'x'}} }", SPEC,
      "bad.lua:2: weights has \"x\" in it, which is no finite number" },
    { "return convc.conv { input = {1, 6, 8, 8},\n weights = {{1, 2}, {3, 0/0}} }", SPEC,
      "bad.lua:2: weights has nan in it, which is no finite number" },
    { "return convc.conv { input = {1, 6, 8, 8},\n weights = {1, 2, 3} }", SPEC,
      "bad.lua:2: weights is nested 1 deep, where input has 2 spatial axes" },
    { "return convc.conv { input = {1, 6, 8, 8},\n weights = {{{{{{1}}}}}} }", SPEC,
      "bad.lua:2: weights is nested more than 5 deep" },
    { "return convc.conv { input = {1, 6, 8, 8},\n weights = {{{{1}}, {{1}}, {{1}}, {{1}}}} }",
      SHAPE, "bad.lua:2: weights has 4 channels in a group, which do not divide in_channels=6" },
    { "return convc.conv { input = {1, 6, 8, 8},\n weights = { list = {} } }", SPEC,
      "bad.lua:2: weights.list is empty" },
    { "return convc.conv { input = {1, 6, 8, 8},\n weights = { 1, list = {{{1}}} } }", SPEC,
      "bad.lua:2: weights has values beside its list" },
    { "return convc.conv { input = {1, 6, 8, 8},\n weights = { list = 3 } }", SPEC,
      "bad.lua:2: weights.list=3 is no list of kernels" },
    { "return convc.conv { input = {1, 6, 8, 8},\n weights = { list = {{{1}}, {{1, 2}}} } }", SPEC,
      "bad.lua:2: weights has a list of 2 values beside one of 1" },
    { "return convc.conv { input = {1, 6, 8, 8},\n weights = { list = {{1}} } }", SPEC,
      "bad.lua:2: weights.list is nested 1 deep, where input has 2 spatial axes" },
    { "return convc.conv { input = {1, 6, 8, 8},\n weights = {{1}},\n out_channels = 7 }", SHAPE,
      "bad.lua:3: out_channels=7 where the weights make 6" },
    { "return convc.conv { input = {1, 6, 8, 8},\n weights = {{1}},\n groups = 1 }", SHAPE,
      "bad.lua:3: groups=1 where the weights make 6" },
    { "return convc.conv { input = {1, 6, 8, 8},\n weights = {{1}},\n kernel_size = 3 }", SHAPE,
      "bad.lua:3: kernel_size=3 where the weights make 1" },
    { "return convc.conv { input = {1, 0, 8, 8},\n weights = {{1}} }", SHAPE,
      "bad.lua:1: in_channels=0 must be at least 1" },
    { "return convc.conv { input = {1, 2^30, 8, 8},\n weights = {{1}} }", SPEC,
      "bad.lua:2: weights makes more than 4194304 values" },

    /* ---- the call ---- */

    { "return convc.conv(7)", SPEC, "bad.lua:1: convc.conv(7) takes one table of fields" },
    { "return convc.conv()", SPEC, "bad.lua:1: convc.conv(nil) takes one table of fields" },
    { "return convc.conv({ }, { })", SPEC,
      "bad.lua:1: convc.conv({...}) takes one table of fields" },

    /* ---- what is returned ---- */

    { "", SPEC, "bad.lua: returns 0 values, where a spec returns a convolution or a list of them" },
    { "return", SPEC,
      "bad.lua: returns 0 values, where a spec returns a convolution or a list of them" },
    { "return nil", SPEC,
      "bad.lua: returns nil, where a spec returns a convolution or a list of them" },
    { "return 7", SPEC,
      "bad.lua: returns 7, where a spec returns a convolution or a list of them" },
    { "return {}", SPEC, "bad.lua: returns an empty list" },
    { "return { input = {1, 6, 8, 8} }", SPEC,
      "bad.lua: returns a table with fields; only convc.conv makes a convolution of it" },
    { "local c = convc.conv { input = {1, 6, 8, 8}, out_channels = 8, kernel_size = 3 }\nreturn { "
      "c, x = c }",
      SPEC, "bad.lua: returns a table with fields; only convc.conv makes a convolution of it" },
    { "local c = convc.conv { input = {1, 6, 8, 8}, out_channels = 8, kernel_size = 3 }\nreturn { "
      "c, c }",
      SPEC, "bad.lua: value 2 of the list is convolution 1 once more" },
    { "local c = convc.conv { input = {1, 6, 8, 8}, out_channels = 8, kernel_size = 3 }\nreturn c, "
      "c",
      SPEC, "bad.lua: returns 2 values, where a spec returns a convolution or a list of them" },
    { "local c = convc.conv { input = {1, 6, 8, 8}, out_channels = 8, kernel_size = 3 }\nreturn { "
      "c, 7 }",
      SPEC, "bad.lua: value 2 of the list, 7, is no convolution" },
    { "local c = convc.conv { input = {1, 6, 8, 8}, out_channels = 8, kernel_size = 3 }\nreturn { "
      "c, { c } }",
      SPEC, "bad.lua: value 2 of the list, {...}, is no convolution" },
    { "local t = {}\nfor i = 1, 2 do\n t[i] = convc.conv { input = {1, 6, 8, 8}, out_channels = 8, "
      "kernel_size = 3,\n name = 'same' }\nend\nreturn t",
      SPEC, "bad.lua:4: name=\"same\" is the name of convolution 1 already" },

    /* ---- Lua's own errors ---- */

    { "return convc.conv { input = {1, 6, 8, 8},", SPEC,
      "bad.lua:1: unexpected symbol near <eof>" },
    { "return convc.cnov { }", SPEC, "bad.lua:1: attempt to call a nil value (field 'cnov')" },
    { "x = nil + 1", SPEC, "bad.lua:1: attempt to perform arithmetic on a nil value" },
    { "error('no such picture')", SPEC, "bad.lua:1: no such picture" },
    { "error('no such picture', 0)", SPEC, "bad.lua:1: no such picture" },
    { "error({})", SPEC, "bad.lua:1: error({...}) was called, without a sentence" },
    { "error()", SPEC, "bad.lua:1: error(nil) was called, without a sentence" },
    { "error(42)", SPEC, "bad.lua:1: error(42) was called, without a sentence" },
    { "assert(false)", SPEC, "bad.lua:1: assertion failed!" },
    { "assert(1 > 2, 'one is\\nnot above two')", SPEC, "bad.lua:1: one is\\nnot above two" },
    { "error(('x'):rep(3))", SPEC, "bad.lua:1: attempt to index a string value (constant 'x')" },
    { "return ('x') * 2", SPEC,
      "bad.lua:1: attempt to perform arithmetic on a string value (constant 'x')" },

    /* ---- convc ---- */

    { "return convc.param()", SPEC, "bad.lua:1: convc.param(nil): a parameter's name is a string" },
    { "return convc.param('H')", SPEC,
      "bad.lua:1: parameter H has no default: set it with -D H=VALUE" },
    { "return convc.param('', 1)", SPEC,
      "bad.lua:1: convc.param(\"\"): a parameter's name is a string" },
    { "local k = convc.filters.sobel", SPEC,
      "bad.lua:1: convc.filters has no sobel, but box, box_1d, dog, edge_detect, emboss, gabor, "
      "gaussian, gaussian_1d, gaussian_x, gaussian_xx, gaussian_xy, gaussian_y, gaussian_yy, "
      "identity, kirsch, laplacian, laplacian_8, log, motion, outer, prewitt_x, prewitt_y, "
      "roberts_x, roberts_y, savgol, scharr_x, scharr_y, sharpen, sobel_x, sobel_y, unsharp" },
    { "return convc.filters.gaussian(0, 1)", SPEC,
      "bad.lua: convc.filters.gaussian: the size is a whole number from 1 to 255" },
    { "return convc.filters.gaussian(5)", SPEC,
      "bad.lua: convc.filters.gaussian: sigma is a number above 0" },
    { "return convc.filters.log(5, -1)", SPEC,
      "bad.lua: convc.filters.log: sigma is a number above 0" },
    { "return convc.filters.box(1.5)", SPEC,
      "bad.lua: convc.filters.box: the size is a whole number from 1 to 255" },
    { "return convc.filters.gabor(5, 1, 'x', 3)", SPEC,
      "bad.lua: convc.filters.gabor: theta and psi are numbers" },
    { "local k = convc.filters.dog(5, 2, 1)", SPEC,
      "bad.lua:1: convc.filters.dog: the second sigma is a number above the first" },
    { "return convc.filters.unsharp(4, 1)", SPEC,
      "bad.lua: convc.filters.unsharp: the size is an odd number from 1 to 255" },
    { "return convc.filters.motion(5, 1/0)", SPEC,
      "bad.lua: convc.filters.motion: theta is a number" },
    { "return convc.filters.kirsch('up')", SPEC,
      "bad.lua: convc.filters.kirsch: the direction is one of n, ne, e, se, s, sw, w, nw" },
    { "return convc.filters.outer({ 1, 2 }, { 'x' })", SPEC,
      "bad.lua: convc.filters.outer: a value is no list of numbers" },
    { "return convc.filters.outer()", SPEC,
      "bad.lua: convc.filters.outer: takes one list of numbers for each of 1 to 3 axes" },
    { "return convc.filters.gaussian_1d(5, 1, 0.5)", SPEC,
      "bad.lua: convc.filters.gaussian_1d: the order is a whole number from 0 to 20" },
    { "return convc.filters.savgol(5, 5)", SPEC,
      "bad.lua: convc.filters.savgol: the degree is a whole number from 0 to 20, below the size" },
    { "return convc.filters.savgol(5, 2, 3)", SPEC,
      "bad.lua: convc.filters.savgol: the order is a whole number from 0 to the degree" },

    /* ---- require ---- */

    { "require 'no_such_module'", SPEC,
      "bad.lua:1: require(\"no_such_module\"): specs/lib has no no_such_module.lua" },
    { "require(7)", SPEC,
      "bad.lua:1: require(7): a module of specs/lib is named by letters, digits, _ and /" },
    { "require '.."
      "/networks/vgg16'",
      SPEC,
      "bad.lua:1: require(\".."
      "/networks/vgg16\"): a module of specs/lib is named by letters, "
      "digits, _ and /" },
    { "require ''", SPEC,
      "bad.lua:1: require(\"\"): a module of specs/lib is named by letters, digits, _ and /" },

    /* ---- the library ---- */

    { "table.unpack({}, 1, 1e6)", SPEC, "bad.lua:1: table.unpack: more than 1000 values" },
    { "table.concat({{}})", SPEC, "bad.lua:1: table.concat: a value is no string" },
    { "table.insert({}, 5, 1)", SPEC, "bad.lua:1: table.insert: no such position" },
    { "string.format(7)", SPEC, "bad.lua:1: string.format: value 1 is no string" },
    { "string.format('%d', 'x')", SPEC,
      "bad.lua:1: bad argument #2 to 'format' (number expected, got string)" },
    { "pairs(nil)", SPEC, "bad.lua:1: pairs: value 1 is no table" },
    { "math.randomseed()", SPEC, "bad.lua:1: math.randomseed: value 1 is no number" },
};

static int check(const struct spec_source *source, enum convc_status status, const char *sentence)
{
    struct spec spec;
    struct diag d = { 0 };
    enum convc_status got = spec_load(source, &spec, &d);
    if (got == CONVC_OK)
        spec_free(&spec);
    if (got == status && strcmp(d.text, sentence) == 0)
        return 0;
    print_error("%s\n    gives %d: %s\n    not   %d: %s\n", source->text ? source->text : "", got,
                d.text, status, sentence);
    return 1;
}

static void every_bad_spec_gets_its_sentence(void **state)
{
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct spec_source source = { .text = bad[i].text, .name = "bad.lua" };
        wrong += check(&source, bad[i].status, bad[i].sentence);
    }
    print_message("%zu kinds of bad spec\n", sizeof bad / sizeof bad[0]);
    assert_int_equal(wrong, 0);
}

static void the_line_is_that_of_the_field_whatever_stands_before_it(void **state)
{
    (void)state;
    struct spec_source source = { .name = "bad.lua" };
    source.text = "local list = { { stride = 9 } }\n"
                  "list[1] = convc.conv { -- first, stride = 0,\n"
                  "  dtype = ({ [', stride = 0'] = 'f32' })[', stride = 0'], --[[ stride = 0\n ]]\n"
                  "  input = { 1, 6, 8, 8 }, out_channels = 8, kernel_size = { 3,\n 3 },\n"
                  "  stride\n    = 'x',\n"
                  "}\n";
    assert_int_equal(check(&source, SPEC, "bad.lua:7: stride=\"x\" is no integer"), 0);
    source.text = "local f = { stride = 0,\n input = { 1, 6, 8, 8 }, out_channels = 8 }\n"
                  "f.kernel_size = 3\n"
                  "return convc.conv(f)";
    assert_int_equal(check(&source, SHAPE,
                           "bad.lua:4: stride=0 along the height must be 1 to "
                           "2147483647"),
                     0);
}

static void a_spec_is_a_path_or_a_text(void **state)
{
    (void)state;
    struct spec_source source = { 0 };
    assert_int_equal(check(&source, ARGUMENT, "a spec is either a path or a text"), 0);
    source.path = source.text = "x";
    assert_int_equal(check(&source, ARGUMENT, "a spec is either a path or a text"), 0);
}

static void only_regular_files_are_read(void **state)
{
    (void)state;
    struct test_dir dir;
    char path[600], sentence[700];
    test_dir_create(&dir);
    struct spec_source source = { .path = test_dir_path(&dir, "none.lua", path, sizeof path) };
    snprintf(sentence, sizeof sentence, "%s: No such file or directory", path);
    assert_int_equal(check(&source, CONVC_ERR_IO, sentence), 0);

    test_dir_path(&dir, "pipe.lua", path, sizeof path);
    assert_int_equal(mkfifo(path, 0600), 0);
    snprintf(sentence, sizeof sentence, "%s: is no regular file", path);
    assert_int_equal(check(&source, CONVC_ERR_IO, sentence), 0);

    source.path = dir.path;
    snprintf(sentence, sizeof sentence, "%s: is no regular file", dir.path);
    assert_int_equal(check(&source, CONVC_ERR_IO, sentence), 0);
    source.path = "/dev/zero";
    assert_int_equal(check(&source, CONVC_ERR_IO, "/dev/zero: is no regular file"), 0);
    test_dir_remove(&dir);
}

static void files_are_text_of_bounded_length(void **state)
{
    (void)state;
    struct test_dir dir;
    char path[600], sentence[700];
    char *long_text = malloc((1 << 20) + 1);
    test_dir_create(&dir);
    struct spec_source source = { .path = test_dir_path(&dir, "long.lua", path, sizeof path) };
    memset(long_text, ' ', (1 << 20) + 1);
    test_file_write(path, long_text, (1 << 20) + 1);
    snprintf(sentence, sizeof sentence, "%s: is longer than 1048576 bytes", path);
    assert_int_equal(check(&source, SPEC, sentence), 0);

    test_file_write(path, "x\0y", 3);
    snprintf(sentence, sizeof sentence, "%s: byte 2 is 0, which no text has", path);
    assert_int_equal(check(&source, SPEC, sentence), 0);

    test_file_write(path, "\x1bLua", 4);
    snprintf(sentence, sizeof sentence, "%s: is compiled Lua; only source text is read", path);
    assert_int_equal(check(&source, SPEC, sentence), 0);
    free(long_text);
    test_dir_remove(&dir);
}

static void defines_must_be_well_formed_and_asked_for(void **state)
{
    (void)state;
    const char *const right = "return convc.conv { input = { 1, convc.param('C', 3), "
                              "convc.param('H', 8), 8 }, out_channels = 1, kernel_size = 1 }";
    static const struct {
        const char *define;
        enum convc_status status;
        const char *sentence;
    } wrong[] = {
        { "H", ARGUMENT, "-D H is not of the form NAME=VALUE" },
        { "=3", ARGUMENT, "-D =3 is not of the form NAME=VALUE" },
        { "HH=3", SPEC, "bad.lua: -D HH=3 sets no parameter; the spec has C, H" },
        { "h=3", SPEC, "bad.lua: -D h=3 sets no parameter; the spec has C, H" },
        { "H=x", SPEC, "bad.lua:1: input[3]=\"x\" is no integer" },
        { "H=", SPEC, "bad.lua:1: input[3]=\"\" is no integer" },
        { "H=2.5", SPEC, "bad.lua:1: input[3]=2.5 is no integer" },
        { "H=-2", SHAPE, "bad.lua:1: input=-2 along the height must be 1 to 2147483647" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct spec_source source = { .text = right, .name = "bad.lua" };
        source.defines = &wrong[i].define;
        source.define_count = 1;
        assert_int_equal(check(&source, wrong[i].status, wrong[i].sentence), 0);
    }
    const char *define = "H=3";
    struct spec_source source = { .path = "ic3ih8oc4kh3", .defines = &define, .define_count = 1 };
    assert_int_equal(
        check(&source, SPEC, "ic3ih8oc4kh3: -D H=3 sets no parameter; the spec has none"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bad_spec_gets_its_sentence),
        cmocka_unit_test(the_line_is_that_of_the_field_whatever_stands_before_it),
        cmocka_unit_test(a_spec_is_a_path_or_a_text),
        cmocka_unit_test(only_regular_files_are_read),
        cmocka_unit_test(files_are_text_of_bounded_length),
        cmocka_unit_test(defines_must_be_well_formed_and_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
