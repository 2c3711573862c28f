"""What nbgrader reads when it is started in this folder, and what tools/ reads when it builds the notebooks."""

c = get_config()  # noqa: F821  (nbgrader provides it)

c.CourseDirectory.course_id = "where-to-look"

# What a learner finds where the solution was. It stands inside a function, so defining the function works
# and only calling it says that something is missing.
c.ClearSolutions.code_stub = {
    "python": '# Your code replaces the next line.\nraise NotImplementedError("This exercise is not written yet.")'
}
