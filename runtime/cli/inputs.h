/* inputs: where the arrays of `run` come from: a file, the spec's constants, or the seed. */
#ifndef CLI_INPUTS_H
#define CLI_INPUTS_H

#include "runtime/cli/layers.h"
#include "runtime/cli/tensor.h"

/* Loads the specs; a picture given as --input sets their parameters H and W, and C where they have
 * it, unless they fit it already. Free with layers_free, whatever the outcome. */
enum exit_code inputs_layers(const struct options *o, struct layers *l, struct failure *f);

/* Reads or fills the operands of one layer. *bits is the depth of an input that is a picture, else
 * 8. Free with operands_free, whatever the outcome. */
enum exit_code inputs_operands(const struct options *o, const struct layer *l,
                               struct operands *operands, int *bits, struct failure *f);

/* Can the layer's output be written to the file of this name? */
enum exit_code inputs_check_output(const struct options *o, const struct layer *l,
                                   struct failure *f);

#endif
