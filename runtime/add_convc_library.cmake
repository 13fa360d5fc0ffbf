# add_convc_library: convolutions compiled ahead of time, as a static library of the build.
#
#   add_convc_library(NAME SPECS spec...
#       [TARGETS target...]     CPU[+feature...], or TRIPLE:CPU[+feature...]; several CPUs make one
#                               library that picks the best at its first call. Without: x86-64,
#                               x86-64-v3 and x86-64-v4 together, or the plainest CPU of another kind
#       [NAMESPACE name]        the header is NAME.h in a directory of this name, and every function
#                               begins with "name_"
#       [PREFIX text]           in front of every function; without: that of the namespace
#       [DEFINE NAME=VALUE...]  sets parameters of the specs
#       [OPTIMIZE size|speed] [TOLERANCE x] [PLAN text] [DB file] [HIDDEN])
#                               as `convc compile` has them
#
# Specs and DB are files, relative to the current source directory. Whatever links NAME finds the
# header NAME.h with the functions of all its specs. They are compiled again when a spec, a module
# that it requires, the tuning database or convc itself has changed. NAME is a target as any other: it can be installed (the header
# is its PUBLIC_HEADER) and exported. Bare CPUs are of the kind of machine that the build is for.

if(CMAKE_VERSION VERSION_LESS 3.20)
    function(add_convc_library name)
        message(FATAL_ERROR "add_convc_library(${name}): needs CMake 3.20, this is ${CMAKE_VERSION}")
    endfunction()
    return()
endif()
cmake_policy(VERSION 3.20)

# The first part of a triple and the CPUs that a library is for where nothing else is said.
function(_convc_machine architecture cpus)
    string(TOLOWER "${CMAKE_SYSTEM_PROCESSOR}" processor)
    if(CMAKE_SYSTEM_NAME MATCHES "^(Emscripten|WASI)$" OR processor STREQUAL "wasm32")
        set(${architecture} wasm32 PARENT_SCOPE)
        set(${cpus} generic+simd128 PARENT_SCOPE)
    elseif(processor MATCHES "^(x86_64|amd64)$")
        set(${architecture} x86_64 PARENT_SCOPE)
        set(${cpus} x86-64 x86-64-v3 x86-64-v4 PARENT_SCOPE)
    elseif(processor MATCHES "^(aarch64|arm64)$")
        set(${architecture} aarch64 PARENT_SCOPE)
        set(${cpus} generic PARENT_SCOPE)
    elseif(processor STREQUAL "riscv64")
        set(${architecture} riscv64 PARENT_SCOPE)
        set(${cpus} generic-rv64+m+a+f+d+c PARENT_SCOPE)
    else()
        set(${architecture} "" PARENT_SCOPE)
        set(${cpus} "" PARENT_SCOPE)
    endif()
endfunction()

# The value of --target: all targets, each with the triple of the build.
function(_convc_targets result name)
    set(systems Linux unknown-linux-gnu Android unknown-linux-android Generic unknown-none-elf)
    _convc_machine(architecture cpus)
    list(FIND systems "${CMAKE_SYSTEM_NAME}" at)
    set(triple "")
    if(architecture STREQUAL "wasm32")
        set(triple wasm32-unknown-unknown)
    elseif(architecture AND at GREATER_EQUAL 0)
        math(EXPR at "${at} + 1")
        list(GET systems ${at} triple)
        string(PREPEND triple "${architecture}-")
    endif()
    set(targets ${ARGN})
    if(NOT targets)
        set(targets ${cpus})
    endif()
    set(all "")
    foreach(target IN LISTS targets)
        if(NOT target MATCHES ":" AND NOT target STREQUAL "native" AND triple)
            string(PREPEND target "${triple}:")
        endif()
        if(target STREQUAL "native" AND CMAKE_CROSSCOMPILING)
            message(FATAL_ERROR "add_convc_library(${name}): TARGETS native is the machine that "
                "builds, and this build is for another")
        endif()
        if(NOT target MATCHES ":" AND CMAKE_CROSSCOMPILING)
            set(all "")
            break()
        endif()
        list(APPEND all "${target}")
    endforeach()
    if(NOT all)
        message(FATAL_ERROR "add_convc_library(${name}): needs TARGETS TRIPLE:CPU, since "
            "CMAKE_SYSTEM_NAME=${CMAKE_SYSTEM_NAME} and "
            "CMAKE_SYSTEM_PROCESSOR=${CMAKE_SYSTEM_PROCESSOR} tell no triple")
    endif()
    list(JOIN all "," all)
    set(${result} "${all}" PARENT_SCOPE)
endfunction()

# The specs as absolute paths, each of which is there or is made by the build.
function(_convc_specs result name)
    set(specs "")
    foreach(spec IN LISTS ARGN)
        if(NOT spec MATCHES "\\$<")
            get_filename_component(spec "${spec}" ABSOLUTE)
            get_source_file_property(generated "${spec}" GENERATED)
            if(NOT generated AND (NOT EXISTS "${spec}" OR IS_DIRECTORY "${spec}"))
                message(FATAL_ERROR "add_convc_library(${name}): there is no spec ${spec}")
            endif()
        endif()
        list(APPEND specs "${spec}")
    endforeach()
    if(NOT specs)
        message(FATAL_ERROR "add_convc_library(${name}): needs SPECS")
    endif()
    set(${result} "${specs}" PARENT_SCOPE)
endfunction()

function(_convc_check name unknown valueless namespace)
    get_property(missing GLOBAL PROPERTY CONVC_COMPILER_MISSING)
    if(missing)
        message(FATAL_ERROR "add_convc_library(${name}): ${missing}")
    elseif(TARGET "${name}")
        message(FATAL_ERROR "add_convc_library(${name}): there is a target of this name already")
    elseif(unknown)
        message(FATAL_ERROR "add_convc_library(${name}): knows no argument ${unknown}")
    elseif(valueless)
        message(FATAL_ERROR "add_convc_library(${name}): ${valueless} needs a value")
    elseif(namespace AND NOT namespace MATCHES "^[A-Za-z_][A-Za-z0-9_]*$")
        message(FATAL_ERROR "add_convc_library(${name}): NAMESPACE ${namespace} is no name in C")
    endif()
endfunction()

# The library that CMake knows: its only source includes the header, and what comes out of that is
# replaced by the archive of convc's. Unlike an imported library it can be installed and exported.
function(_convc_target name header archive root)
    get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
    if("C" IN_LIST languages)
        set(source "${root}/${name}.c")
    elseif("CXX" IN_LIST languages)
        set(source "${root}/${name}.cpp")
    else()
        message(FATAL_ERROR "add_convc_library(${name}): the project needs the language C or CXX")
    endif()
    file(CONFIGURE OUTPUT "${source}" @ONLY
        CONTENT "/* For the build system; the code is in ${archive} */\n#include \"${header}\"\n")
    set_source_files_properties("${source}" PROPERTIES OBJECT_DEPENDS "${header};${archive}")

    add_library(${name} STATIC "${source}" "${header}")
    set_target_properties(${name} PROPERTIES PUBLIC_HEADER "${header}")
    target_include_directories(${name} PUBLIC "$<BUILD_INTERFACE:${root}>")
    add_custom_command(TARGET ${name} POST_BUILD
        COMMAND "${CMAKE_COMMAND}" -E copy "${archive}" "$<TARGET_FILE:${name}>" VERBATIM)
endfunction()

function(add_convc_library name)
    set(passed_on PREFIX OPTIMIZE TOLERANCE PLAN DB)
    cmake_parse_arguments(PARSE_ARGV 1 arg "HIDDEN" "NAMESPACE;${passed_on}"
        "SPECS;TARGETS;DEFINE")
    _convc_check("${name}" "${arg_UNPARSED_ARGUMENTS}" "${arg_KEYWORDS_MISSING_VALUES}"
        "${arg_NAMESPACE}")
    _convc_specs(specs "${name}" ${arg_SPECS})
    _convc_targets(targets "${name}" ${arg_TARGETS})
    if(arg_NAMESPACE AND NOT DEFINED arg_PREFIX)
        set(arg_PREFIX "${arg_NAMESPACE}_")
    endif()

    set(root "${CMAKE_CURRENT_BINARY_DIR}/${name}.convc")
    set(directory "${root}")
    if(arg_NAMESPACE)
        string(APPEND directory "/${arg_NAMESPACE}")
    endif()
    set(header "${directory}/${name}.h")
    set(archive "${directory}/lib${name}.a")

    if(DEFINED arg_DB)
        get_filename_component(arg_DB "${arg_DB}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
    endif()
    set(options --quiet --target "${targets}" --library "${name}")
    foreach(option IN LISTS passed_on)
        if(DEFINED arg_${option})
            string(TOLOWER "${option}" word)
            list(APPEND options --${word} "${arg_${option}}")
        endif()
    endforeach()
    foreach(define IN LISTS arg_DEFINE)
        list(APPEND options -D "${define}")
    endforeach()
    if(arg_HIDDEN)
        list(APPEND options --hidden)
    endif()
    get_property(tool GLOBAL PROPERTY CONVC_COMPILER_FILES)
    add_custom_command(OUTPUT "${header}" "${archive}"
        COMMAND "${CONVC_EXECUTABLE}" compile ${options} -o "${directory}"
            --depfile "${root}/${name}.d" -- ${specs}
        DEPENDS ${specs} ${tool} ${arg_DB}
        DEPFILE "${root}/${name}.d"
        COMMENT "Compiling the convolutions of ${name}" VERBATIM)
    _convc_target("${name}" "${header}" "${archive}" "${root}")
endfunction()
